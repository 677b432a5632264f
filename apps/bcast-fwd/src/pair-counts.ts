export interface PairCount {
  readonly from: string;
  readonly to: string;
  count: number;
}

/** Names of interfaces come and go with guests; beyond it all begin anew. */
const MAX_PAIRS = 4096;

/** Copies sent, by the interfaces that they came in and went out on. */
export class PairCounts {
  readonly #counts = new Map<string, Map<string, PairCount>>(); // BOUNDED: MAX_PAIRS
  #size = 0;

  count(from: string, to: string): void {
    const known = this.#counts.get(from)?.get(to);
    if (known !== undefined) known.count += 1;
    else this.#add({ from, to, count: 1 });
  }

  all(): readonly PairCount[] {
    return [...this.#counts.values()].flatMap((of) => [...of.values()]);
  }

  #add(pair: PairCount): void {
    if (this.#size === MAX_PAIRS) {
      this.#counts.clear();
      this.#size = 0;
    }
    const of = this.#counts.get(pair.from) ?? new Map<string, PairCount>();
    of.set(pair.to, pair);
    this.#counts.set(pair.from, of);
    this.#size += 1;
  }
}
