import type { Sources } from '../sources';
import type { Refusal } from './refusal';

/** Connections at once. */
export interface Limits {
  readonly total: number;
  readonly perSource: number;
}

/** Who is let in, by what is open now. */
export class Admission {
  readonly limits: Limits;
  readonly #open = new Map<string, number>(); // BOUNDED: by limits.total
  #total = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  get open(): number {
    return this.#total;
  }

  /** null: it is let in, and `leave` is called when it has gone. `sources` null: everybody who can reach the place. */
  enter(source: string, sources: Sources | null): Refusal | null {
    if (sources?.allows(source) === false) return 'source';
    if (this.#total >= this.limits.total) return 'total';
    const own = this.#open.get(source) ?? 0;
    if (own >= this.limits.perSource) return 'per-source';
    this.#open.set(source, own + 1);
    this.#total++;
    return null;
  }

  leave(source: string): void {
    const own = this.#open.get(source) ?? 0;
    if (own <= 1) this.#open.delete(source);
    else this.#open.set(source, own - 1);
    this.#total--;
  }
}
