/** Far above what a host's kernel has counted to, and short enough to be read; numbers go on from there. */
const [LOWEST, HIGHEST] = [100_000, 1_000_000];

/**
 * ifindexes for links that we make: where they are known beforehand, all that is to be said of a link can be sent behind its making. None is
 * given twice, and each run of the program begins somewhere else, so that an ifindex that has gone does not come back.
 */
export class Ifindexes {
  readonly #random: () => number;
  #next: number;

  /** `random`: from 0, below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
    this.#next = this.#somewhere();
  }

  take(): number {
    return this.#next++;
  }

  /** Somebody else has what was taken: on from somewhere else. */
  skip(): void {
    this.#next += this.#somewhere();
  }

  #somewhere(): number {
    return LOWEST + Math.floor(this.#random() * (HIGHEST - LOWEST));
  }
}
