/**
 * Where the numbers of links begin and end: those of veths and TAPs far above what a host's kernel has counted to. A bridge may be an uplink (arcbr0), whose
 * number goes into routing tags, which end at 64,535.
 */
const RANGES = {
  guest: { lowest: 100_000, begin: 1_000_000, highest: 0x3fffffff },
  bridge: { lowest: 20_000, begin: 60_000, highest: 64_000 },
} as const;
const FURTHEST = 10_000;

/**
 * ifindexes for links that we make: where they are known beforehand, all that is to be said of a link can be sent behind its making. They go up, and
 * each run of the program begins somewhere else, so that an ifindex that has gone does not soon come back.
 */
export class Ifindexes {
  readonly #random: () => number;
  readonly #next: { guest: number; bridge: number };

  /** `random`: from 0, below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
    this.#next = { guest: this.#somewhere('guest'), bridge: this.#somewhere('bridge') };
  }

  take(kind: keyof typeof RANGES): number {
    const ifindex = this.#next[kind];
    this.#advance(kind, 1);
    return ifindex;
  }

  /** Somebody else has what was taken: on from somewhere further on. */
  skip(): void {
    this.#advance('guest', Math.floor(this.#random() * FURTHEST));
    this.#advance('bridge', Math.floor(this.#random() * FURTHEST));
  }

  #advance(kind: keyof typeof RANGES, by: number): void {
    const { lowest, highest } = RANGES[kind];
    const next = this.#next[kind] + by;
    this.#next[kind] = next <= highest ? next : lowest + (next - highest - 1);
  }

  #somewhere(kind: keyof typeof RANGES): number {
    const { lowest, begin } = RANGES[kind];
    return lowest + Math.floor(this.#random() * (begin - lowest));
  }
}
