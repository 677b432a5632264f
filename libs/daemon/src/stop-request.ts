import type { Task } from '@pp/base';
import { constants } from 'node:os';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface StopHooks {
  /** An exception that nobody caught: a bug. The stop is under way already. */
  readonly onFault: (fault: unknown) => void;
  /** A signal after the first: the operator will not wait. */
  readonly abandon: (exitCode: number) => void;
}

/** Turns SIGTERM, SIGINT, SIGHUP (the terminal was closed) and uncaught exceptions of this process into one request to stop. */
export class StopRequest {
  readonly #controller = new AbortController();
  #faulty = false;

  constructor({ onFault, abandon }: StopHooks) {
    for (const name of STOP_SIGNALS) {
      process.on(name, () => {
        if (this.signal.aborted) abandon(128 + constants.signals[name]);
        this.#controller.abort();
      });
    }
    process.on('uncaughtException', (fault) => {
      this.#faulty = true;
      onFault(fault);
      this.#controller.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether an exception was among the reasons. */
  get faulty(): boolean {
    return this.#faulty;
  }
}

/** Runs until it is told to end: what keeps a service up that has nothing else to do. */
export const idleTask: Task = {
  name: 'idle',
  ready: Promise.resolve(),
  run: (signal) =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    }),
};
