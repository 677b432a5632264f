import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { causeChain, millis, type Clock, type Logger } from '@pp/base';
import { errnoOf } from '@pp/daemon';
import type { HelperProcess, HelperProcesses, HelperRecord } from './helper-processes';

export interface MachineProcessesOptions {
  /** Where the programs lie. */
  readonly directory: string;
  /** What each of them is given. */
  readonly args: readonly string[];
  /** What some of them are given beside, by name. */
  readonly ownArgs?: Readonly<Record<string, readonly string[]>>;
  /** The file that remembers what runs; its directory exists. */
  readonly recordPath: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Becomes the program when it is told to, and ends where we do before. */
const AT_A_WORD = 'read -r word <&3 && exec 3<&- && exec "$0" "$@"';

/** Only our own children tell of their end; others are looked at this often. */
const LOOK_AGAIN = millis(50);

/** Helpers as processes of this machine, in sessions of their own; what they log goes where the manager's log goes. */
export class MachineProcesses implements HelperProcesses {
  readonly #options: MachineProcessesOptions;

  constructor(options: MachineProcessesOptions) {
    this.#options = options;
  }

  isThere(name: string): boolean {
    try {
      accessSync(this.#path(name), constants.X_OK);
      return true;
    } catch (fault) {
      if (errnoOf(fault) === undefined) throw fault;
      return false;
    }
  }

  start(name: string): HelperProcess {
    const child = this.#spawn(name);
    if (typeof child === 'string') return neverStarted(child);
    const pid = child.pid ?? 0;
    return {
      pid,
      startTime: startTimeOf(pid) ?? '',
      ended: endOf(child),
      begin: () => {
        child.stdio[3].end('go\n');
      },
      kill: (signal) => {
        child.kill(signal);
      },
    };
  }

  find({ pid, startTime }: HelperRecord): HelperProcess | null {
    const isAlive = (): boolean => startTimeOf(pid) === startTime;
    if (!isAlive()) return null;
    return {
      pid,
      startTime,
      ended: this.#until(() => !isAlive()),
      begin: () => undefined,
      kill: (signal) => {
        if (isAlive()) kill(pid, signal);
      },
    };
  }

  load(): readonly HelperRecord[] {
    try {
      const records = JSON.parse(readFileSync(this.#options.recordPath, 'utf8')) as unknown;
      return Array.isArray(records) ? (records as unknown[]).filter(isRecord) : [];
    } catch (fault) {
      if (errnoOf(fault) === 'ENOENT') return [];
      if (!(fault instanceof SyntaxError)) throw fault;
      this.#options.log.warn('helpers.unreadable', { path: this.#options.recordPath });
      return [];
    }
  }

  save(records: readonly HelperRecord[]): void {
    const { recordPath, log } = this.#options;
    try {
      writeFileSync(`${recordPath}.part`, JSON.stringify(records), { mode: 0o600 });
      renameSync(`${recordPath}.part`, recordPath);
    } catch (fault) {
      if (errnoOf(fault) === undefined) throw fault;
      log.warn('helpers.unrecorded', { cause: causeChain(fault) }); // guests go on; if we are killed now, nobody ends these helpers
    }
  }

  /** The child, or why there is none: node throws some refusals of the kernel, and tells others later. */
  #spawn(name: string): WaitingChild | string {
    const args = [...this.#options.args, ...(this.#options.ownArgs?.[name] ?? [])];
    try {
      const child = spawn('/bin/sh', ['-c', AT_A_WORD, this.#path(name), ...args], {
        detached: true, // Ctrl-C is for the manager, which ends its helpers in order
        stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      }) as WaitingChild;
      child.stdio[3].on('error', () => undefined); // it ended first, and `ended` tells
      return child;
    } catch (fault) {
      const code = errnoOf(fault);
      if (code === undefined) throw fault;
      return code;
    }
  }

  #path(name: string): string {
    return join(this.#options.directory, name);
  }

  #until(holds: () => boolean): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve('gone');
        else this.#options.clock.after('helper gone', LOOK_AGAIN, look);
      };
      look();
    });
  }
}

/** With a pipe as descriptor 3, which the types of node leave open. */
type WaitingChild = ChildProcess & { readonly stdio: { readonly 3: Writable } };

const neverStarted = (code: string): HelperProcess => ({
  pid: 0,
  startTime: '',
  ended: Promise.resolve(`cannot be started (${code})`),
  begin: () => undefined,
  kill: () => undefined,
});

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (fault) => {
      if (child.pid === undefined) resolve(`cannot be started (${errnoOf(fault) ?? fault.message})`);
    });
    child.once('exit', (code, signal) => {
      resolve(signal ?? `exit ${code ?? '?'}`);
    });
  });
}

/** proc(5): field 22, counted after the command's name, which may hold anything; undefined for a process that is gone, or a zombie. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (fault) {
    if (errnoOf(fault) === undefined) throw fault;
    return undefined;
  }
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (fault) {
    if (errnoOf(fault) !== 'ESRCH') throw fault; // it was quicker
  }
}

function isRecord(value: unknown): value is HelperRecord {
  const { name, pid, startTime } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof name === 'string' && Number.isInteger(pid) && typeof startTime === 'string';
}
