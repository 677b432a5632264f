import {
  backoff,
  causeChain,
  isShortage,
  millis,
  seconds,
  type Cancel,
  type Clock,
  type Logger,
  type Millis,
} from '@pp/base';
import { describe, type Desired } from '@pp/datapath';
import type { DatapathLoss } from '@pp/ports';
import { LossJudge, type Damage } from './domain/losses';
import type { Mended } from './mending';

export interface MenderParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Judges the losses by what is wanted when the changes at hand are done, and puts back what is missing. */
  readonly mend: (judge: (want: Desired) => Damage) => Promise<Mended>;
  /** Within this time comes what is lost together. */
  readonly gathering: Millis;
  /** What could not be put back is tried again; else only where the kernel was short of something, and the next loss must tell. */
  readonly insists: boolean;
}

/** What is taken away so soon after its repair is taken away by somebody who fights us. */
const FIGHT = seconds(2);
/** The operator hears of a fight for so long. */
const NEWS = seconds(60);
/** So often it may be chance. */
const CHANCE = 2;
/** BOUNDED: more losses than this are one that says nothing. */
const MAX_LOSSES = 1024;

/** Puts back losses of one kind: at once, and ever later where somebody takes the same away again and again. */
export class Mender {
  readonly #parts: MenderParts;
  readonly #judge = new LossJudge();
  #losses: DatapathLoss[] = [];
  #timer: Cancel | null = null;
  #delays = newDelays();
  #mendedAt: Millis | null = null;
  #times = 0;
  #refusal: string | null = null;

  constructor(parts: MenderParts) {
    this.#parts = parts;
  }

  /** How often in a row, if that is no chance any more; else 0. */
  get fights(): number {
    return this.#isPast(NEWS) || this.#times <= CHANCE ? 0 : this.#times;
  }

  /** Why what is to be tried again could not be put back; null: nothing is. */
  get refusal(): string | null {
    return this.#refusal;
  }

  lose(loss: DatapathLoss): void {
    if (this.#losses.length < MAX_LOSSES) this.#losses.push(loss);
    else this.#losses = [{ on: 'unknown' }];
    this.#timer ??= this.#after(this.#nextDelay());
  }

  close(): void {
    this.#timer?.();
  }

  /** The last repair is so long ago. */
  #isPast(time: Millis): boolean {
    return this.#mendedAt === null || this.#parts.clock.now() - this.#mendedAt >= time;
  }

  #nextDelay(): Millis {
    if (this.#isPast(FIGHT)) {
      this.#times = 0;
      this.#delays = newDelays();
    }
    return this.#times < CHANCE ? this.#parts.gathering : this.#delays.next().value;
  }

  #after(delay: Millis): Cancel {
    return this.#parts.clock.after('datapath.mend', delay, () => {
      this.#timer = null;
      this.#mend().catch(() => undefined); // told by `reconciler.broken`
    });
  }

  async #mend(): Promise<void> {
    const { clock, log, mend, insists } = this.#parts;
    const losses = this.#losses;
    this.#losses = [];
    this.#refusal = null;
    const from = clock.now();
    let damage: Damage = 'none';
    const { steps, fault } = await mend((want) => (damage = this.#judge.damageOf(losses, want)));
    if (steps.length === 0) return;
    this.#mendedAt = clock.now();
    this.#times += 1;
    const [first] = steps;
    const what = first === undefined ? '' : describe(first);
    log.debug('datapath.steps', { all: steps.map(describe).join('; ') });
    const facts = {
      damage,
      ...byWhom(losses),
      steps: steps.length,
      first: what,
      ms: Math.round(clock.now() - from),
      times: this.#times,
    };
    if (fault === null) {
      log.warn('datapath.repaired', facts);
      return;
    }
    const cause = causeChain(fault);
    log.error('datapath.unrepaired', { ...facts, cause });
    if (!insists && !isPassing(fault)) return;
    this.#refusal = cause;
    for (const loss of losses) this.lose(loss);
  }
}

/** A fault of several steps, some of them for want of something that may be there a little later. */
const isPassing = (fault: Error): boolean =>
  (fault instanceof AggregateError ? fault.errors : [fault.cause]).some(isShortage);

/** As far as the kernel told it; the last one, for the log. */
function byWhom(losses: readonly DatapathLoss[]): { readonly by?: string } {
  const by = losses.flatMap((loss) => ('by' in loss ? [loss.by] : [])).at(-1);
  return by === undefined ? {} : { by };
}

const newDelays = (): ReturnType<typeof backoff> => backoff(millis(100), seconds(30));
