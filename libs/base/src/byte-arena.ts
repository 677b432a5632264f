/** Large enough for a batch of 64 small frames to 64 segments; what does not fit is allocated. */
const ARENA_BYTES = 1 << 19;

/** Memory for frames that are built and sent within one batch: an allocation of its own for each would keep the collector busy. */
export class ByteArena {
  readonly #bytes = new Uint8Array(ARENA_BYTES);
  #used = 0;

  /** Valid until `reset`. Its bytes are whatever they were. */
  allocate(length: number): Uint8Array {
    const start = this.#used;
    if (start + length > ARENA_BYTES) return new Uint8Array(length);
    this.#used = start + length;
    return this.#bytes.subarray(start, this.#used);
  }

  reset(): void {
    this.#used = 0;
  }
}
