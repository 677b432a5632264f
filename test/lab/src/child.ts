import { millis, seconds, type Millis } from '@pp/base';
import { spawn, type ChildProcess } from 'node:child_process';
import { until } from './until';

/** How a command ended. `code` is null where a signal ended it; 127 where it could not be started. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpawnOptions {
  /** How errors call the command; default: itself and its arguments. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `open` keeps standard input a pipe until `endInput`; `inherit` hands over all three streams. Default: empty input. */
  readonly stdio?: 'captured' | 'open' | 'inherit';
  /** Descriptors of ours that the command gets as 3, 4, and so on. */
  readonly fds?: readonly number[];
}

const LAST_WORDS = millis(200);

/** A running command with its output captured. */
export class Child {
  readonly name: string;
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<Finished>;
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    const { stdio = 'captured', env = {}, fds = [], name = [command, ...args].join(' ') } = options;
    this.name = name;
    const input = stdio === 'open' ? 'pipe' : 'ignore';
    this.#process = spawn(command, args, {
      env: { ...process.env, PATH: systemPath(), ...env },
      stdio: stdio === 'inherit' ? 'inherit' : [input, 'pipe', 'pipe', ...fds],
      detached: stdio !== 'inherit', // Ctrl-C at the terminal is for us and for whom we lend it to
    });
    this.pid = this.#process.pid ?? -1;
    this.exited = this.#watch(command);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null && this.pid > 0;
  }

  /** Does nothing once the command has ended. */
  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  /** SIGTERM, and SIGKILL where that was not enough by `deadline` (20 s). */
  async stop(deadline: Millis = seconds(20)): Promise<Finished> {
    const timer = setTimeout(() => {
      this.kill('SIGKILL');
    }, deadline);
    this.kill('SIGTERM');
    return this.exited.finally(() => {
      clearTimeout(timer);
    });
  }

  /** What `wanted` makes of the first line of output that it wants; throws with all the output where the command ends without. */
  async line<T>(what: string, wanted: (line: string) => T | undefined, deadline?: Millis): Promise<T> {
    const found = (): readonly T[] => this.#completeLines().flatMap((line) => wanted(line) ?? []);
    const settled = until(
      what,
      () => found().length > 0 || !this.isRunning,
      deadline === undefined ? {} : { deadline },
    );
    const late = await settled.then(
      () => undefined,
      (fault: unknown) => fault,
    );
    if (!this.isRunning) await this.exited;
    const [hit] = found();
    if (hit !== undefined) return hit;
    const state = this.isRunning ? 'still runs' : 'ended';
    throw new Error(`${this.name} ${state} without ${what}; it printed:\n${this.output()}`, { cause: late });
  }

  output(): string {
    return this.#stdout + this.#stderr;
  }

  #completeLines(): readonly string[] {
    return [this.#stdout, this.#stderr].flatMap((text) => text.split('\n').slice(0, -1));
  }

  #watch(command: string): Promise<Finished> {
    const { stdout, stderr, stdin } = this.#process;
    stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    stdin?.on('error', () => undefined); // EPIPE: the command ended first, and `exited` tells
    return new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      };
      this.#process.once('close', finish);
      // A grandchild may keep the pipes open for ever: what has not arrived shortly after the exit is not awaited.
      this.#process.once('exit', (code, signal) => {
        // Timers come before what is there to be read, so on a busy machine that is read first.
        const late = setTimeout(() => setImmediate(finish, code, signal), LAST_WORDS);
        this.#process.once('close', () => {
          clearTimeout(late);
        });
      });
      this.#process.once('error', (fault) => {
        this.#stderr += `${command}: ${fault.message}\n`;
        finish(127, null);
      });
    });
  }
}

/** PATH, and the directories where ip, nft and radvd live: an ordinary user's PATH on Debian has no sbin. */
export function systemPath(): string {
  const path = (process.env['PATH'] ?? '').split(':');
  return [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'])].join(':');
}
