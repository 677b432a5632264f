import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { KernelError, seconds } from '@pp/base';
import type { Clock, Errno } from '@pp/base';
import type { Native } from '@pp/native';
import { kernelErrorOf } from './errors';
import type { InHost } from './host-netns';
import type { NftWriters } from './nft-writers';

export interface NftRunnerOptions {
  readonly native: Pick<Native, 'pipe' | 'closeFd'>;
  readonly clock: Clock;
  readonly inHost: InHost;
  /** Program to run; default "nft", looked up in the system's directories. */
  readonly program?: string;
  /** Told of each run before it can do anything. */
  readonly writers?: NftWriters;
}

const DEADLINE = seconds(10);
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Enough of what nft says to find the line at fault. */
const MAX_STDERR_BYTES = 4096;

/** Loads rulesets by `nft -f -`: one transaction, all or nothing. */
export class NftRunner {
  constructor(private readonly options: NftRunnerOptions) {}

  /** Rejects with KernelError: nft's first complaint, ETIMEDOUT, or ENOENT when there is no nft. */
  async load(text: string, request: string): Promise<void> {
    const child = this.#start(text, request);
    const complaint = collect(child);
    const { code, signal } = await this.#end(child, request);
    if (code !== 0) throw refusal(await complaint, signal, request);
  }

  /** With the text on its way; if there is nobody to read it, that ends with EPIPE. */
  #start(text: string, request: string): ChildProcess {
    const { native } = this.options;
    try {
      // Node's own pipes are sockets, and nft cannot open /dev/stdin when it is one.
      const [stdin, feed] = native.pipe();
      feedAll(feed, text);
      try {
        return this.#spawn(stdin);
      } finally {
        native.closeFd(stdin);
      }
    } catch (error) {
      throw kernelErrorOf(error, request);
    }
  }

  #spawn(stdin: number): ChildProcess {
    const { inHost, program = 'nft', writers } = this.options;
    const child = inHost(() =>
      spawn(program, ['-f', '-'], {
        stdio: [stdin, 'ignore', 'pipe'],
        env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
      }),
    );
    if (child.pid !== undefined) writers?.nftStarted(child.pid);
    return child;
  }

  #absent(request: string): KernelError {
    const { program = 'nft' } = this.options;
    const where = program.includes('/') ? '' : ` in ${SYSTEM_PATH}`;
    return new KernelError('ENOENT', request, `there is no ${program}${where}: install nftables`);
  }

  #end(child: ChildProcess, request: string): Promise<{ code: number | null; signal: string | null }> {
    return new Promise((resolve, reject) => {
      const cancel = this.options.clock.after('nft.deadline', DEADLINE, () => {
        child.kill('SIGKILL');
        reject(new KernelError('ETIMEDOUT', request, `nft did not end within ${DEADLINE / 1000} s`));
      });
      child.once('error', (error) => {
        cancel();
        const refused = kernelErrorOf(error, request);
        reject(refused.code === 'ENOENT' ? this.#absent(request) : refused);
      });
      child.once('close', (code, signal) => {
        cancel();
        if (child.pid !== undefined) this.options.writers?.nftEnded(child.pid, code === 0);
        resolve({ code, signal });
      });
    });
  }
}

/** Closes `fd` at the end. nft may stop reading at its first error. */
function feedAll(fd: number, text: string): void {
  const stream = createWriteStream('', { fd });
  stream.on('error', () => undefined); // EPIPE: nft has ended, and its exit code says why
  stream.end(text);
}

async function collect({ stderr }: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of stderr ?? []) if (text.length < MAX_STDERR_BYTES) text += String(chunk);
  return text;
}

function refusal(stderr: string, signal: string | null, request: string): KernelError {
  const line =
    stderr.split('\n').find((candidate) => candidate.includes('Error:')) ?? stderr.split('\n')[0] ?? '';
  const detail = line === '' && signal !== null ? `nft was ended by ${signal}` : line;
  return new KernelError(errnoIn(line), request, detail);
}

/** What nft says in the C locale, strerror(3). */
const MESSAGES: readonly (readonly [string, Errno])[] = [
  ['No such file or directory', 'ENOENT'],
  ['File exists', 'EEXIST'],
  ['Device or resource busy', 'EBUSY'],
  ['Operation not permitted', 'EPERM'],
  ['Operation not supported', 'EOPNOTSUPP'],
  ['Too many open files in system', 'ENFILE'],
  ['Cannot allocate memory', 'ENOMEM'],
  ['Message too long', 'EMSGSIZE'],
];

export const errnoIn = (line: string): Errno =>
  MESSAGES.find(([text]) => line.includes(text))?.[1] ?? 'EINVAL';
