import { seconds, type Clock, type Logger, type Millis, type Task } from '@pp/base';
import type { HelperProcess, HelperProcesses } from './helper-processes';
import { KeptHelper, type HelperStatus } from './kept-helper';

/** From SIGTERM to SIGKILL, and from there to giving up. The manager itself has 20 s to stop. */
const PATIENCE = { term: seconds(5), kill: seconds(2) } as const;

export interface SupervisorParts {
  readonly processes: HelperProcesses;
  readonly clock: Clock;
  readonly log: Logger;
  /** None: only what an earlier run left is ended. */
  readonly names: readonly string[];
  /** Whether this host, as it is now, gives it anything to do. */
  readonly hasWork: (name: string) => boolean;
  /** The pid of one that runs already, and would keep it out. */
  readonly otherOne: (name: string) => number | null;
}

/** Keeps the helpers running while the manager does. First it ends those that a killed manager left, so that none runs twice. */
export class Supervisor implements Task {
  readonly name = 'helpers';
  readonly ready = Promise.resolve();
  readonly #parts: SupervisorParts;
  readonly #helpers: readonly KeptHelper[];

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const onChange = (): void => {
      parts.processes.save(this.#running().map(({ name, pid, startTime }) => ({ name, pid, startTime })));
    };
    this.#helpers = parts.names.map((name) => new KeptHelper(name, { ...parts, onChange }));
  }

  get status(): readonly HelperStatus[] {
    return this.#helpers.map(({ status }) => status);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#endLeftovers();
    if (!signal.aborted) for (const helper of this.#helpers) helper.start();
    await aborted(signal);
    for (const helper of this.#helpers) helper.release();
    await this.#endAll(this.#running());
  }

  async #endLeftovers(): Promise<void> {
    const { processes, log } = this.#parts;
    const left = processes.load().flatMap((record) => {
      const process = processes.find(record);
      return process === null ? [] : [named(record.name, process)];
    });
    for (const { name, pid } of left) log.info('helper.left-over', { name, pid });
    await this.#endAll(left);
  }

  #running(): readonly Named[] {
    return this.#helpers.flatMap(({ name, process }) => (process === null ? [] : [named(name, process)]));
  }

  async #endAll(processes: readonly Named[]): Promise<void> {
    await Promise.all(processes.map((process) => this.#end(process)));
  }

  async #end({ name, pid, process }: Named): Promise<void> {
    process.kill('SIGTERM');
    if (await this.#endsWithin(process, PATIENCE.term)) return;
    this.#parts.log.warn('helper.killed', { name, pid });
    process.kill('SIGKILL');
    if (!(await this.#endsWithin(process, PATIENCE.kill)))
      this.#parts.log.error('helper.unkillable', { name, pid });
  }

  #endsWithin({ ended }: HelperProcess, patience: Millis): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after('helper end', patience, () => {
        resolve(false);
      });
      void ended.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}

interface Named {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
  readonly process: HelperProcess;
}

const named = (name: string, process: HelperProcess): Named => ({
  name,
  pid: process.pid,
  startTime: process.startTime,
  process,
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
