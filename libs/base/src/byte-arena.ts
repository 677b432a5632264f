const FIRST_BYTES = 1 << 14;
/** Large enough for a batch of 64 small frames to 64 segments. */
const MOST_BYTES = 1 << 19;

/** Memory for frames that are built and sent within one batch: an allocation of its own for each would keep the collector busy. */
export class ByteArena {
  #bytes = new Uint8Array(FIRST_BYTES);
  /** Also what did not fit. */
  #used = 0;

  /** Valid until `reset`. Its bytes are whatever they were. What does not fit is allocated. */
  allocate(length: number): Uint8Array {
    const start = this.#used;
    this.#used = start + length;
    return this.#used > this.#bytes.length ? new Uint8Array(length) : this.#bytes.subarray(start, this.#used);
  }

  /** A batch that did not fit makes room for the next of its size. */
  reset(): void {
    if (this.#used > this.#bytes.length && this.#bytes.length < MOST_BYTES)
      this.#bytes = new Uint8Array(Math.min(2 ** Math.ceil(Math.log2(this.#used)), MOST_BYTES));
    this.#used = 0;
  }
}
