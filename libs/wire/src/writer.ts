/** Appends numbers in network order. Grows as needed; a value that does not fit its field is a RangeError, never cut. */
export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  /** `capacity`: bytes expected. */
  constructor(capacity = 128) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1, value, 0xff);
    this.#bytes[at] = value;
    return this;
  }

  u16be(value: number): this {
    const at = this.#grow(2, value, 0xffff);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  u32be(value: number): this {
    const at = this.#grow(4, value, 0xffffffff);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length, 0, 0);
    this.#bytes.set(bytes, at);
    return this;
  }

  zeros(count: number): this {
    this.#grow(count, 0, 0);
    return this;
  }

  /** What was written. The writer must not be used after it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(count: number, value: number, max: number): number {
    if (!Number.isInteger(value) || value < 0 || value > max)
      throw new RangeError(`${value} in a field of ${count} bytes`);
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
