/** Descriptors that are only numbers, with a strict account of who closed what. */
export class FdLedger {
  readonly #open = new Set<number>(); // BOUNDED: by the test
  #next = 100;

  /** A new open descriptor. */
  issue(): number {
    this.#open.add(this.#next);
    return this.#next++;
  }

  /** Throws for a descriptor that is not open: it was closed twice, or is not ours. */
  readonly close = (fd: number): void => {
    if (!this.#open.delete(fd)) throw new Error(`EBADF: descriptor ${fd} is not open`);
  };

  get open(): readonly number[] {
    return [...this.#open];
  }
}
