import { KernelError } from '@pp/base';
import { describe } from '@pp/datapath';
import type { Outcome } from '@pp/datapath';
import { kernelErrorOf } from './errors';
import type { Step } from './runs';

/** Done, or refused: `work` may reject with a KernelError. */
export const outcomeOf = (work: Promise<unknown>): Promise<Outcome> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      if (!(error instanceof KernelError)) throw error;
      return error;
    },
  );

/** One outcome for each step; a step of which nothing is said was skipped, and a refusal, once said, stays. */
export class Outcomes {
  readonly #all: Outcome[]; // BOUNDED: by the steps
  #isRefused = false;

  constructor(count: number) {
    this.#all = new Array<Outcome>(count).fill('skipped');
  }

  get all(): readonly Outcome[] {
    return this.#all;
  }

  get isRefused(): boolean {
    return this.#isRefused;
  }

  refused(at: number): boolean {
    return this.#all[at] instanceof KernelError;
  }

  set(at: number, outcome: Outcome): void {
    if (this.refused(at)) return;
    this.#all[at] = outcome;
    if (outcome instanceof KernelError) this.#isRefused = true;
  }

  /** Of an answer that may be a refusal. */
  refuseIf(at: number, answer: unknown): void {
    if (answer instanceof KernelError) this.set(at, answer);
  }

  /** The undoing of a step was refused. */
  amend(at: number, fault: KernelError): void {
    const outcome = this.#all[at];
    this.#isRefused = true;
    this.#all[at] =
      outcome instanceof KernelError
        ? new KernelError(outcome.code, outcome.request, `not undone: ${fault.message}`, { cause: outcome })
        : fault;
  }

  /** What `make` gives; nothing, when it is refused. */
  try<T>({ at, op }: Step, make: () => T): readonly T[] {
    try {
      return [make()];
    } catch (error) {
      this.set(at, kernelErrorOf(error, describe(op)));
      return [];
    }
  }

  /** Does a step now. */
  do(step: Step, act: () => void): void {
    this.try(step, act);
    this.set(step.at, 'done');
  }
}
