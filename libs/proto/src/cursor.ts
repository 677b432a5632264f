const MAX_VARINT_BYTES = 10;
/** Counted from 0: the tenth byte holds bit 63 and nothing else. */
const LAST_BYTE = 9;
const MAX_TAG_BYTES = 5;

/** Reads protobuf's basic forms from the front. Remembers its first fault, after which nothing is left and all reads are empty. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;
  #fault: string | undefined;
  /** The last varint's bits 0 to 31, and 32 to 63. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Records why the bytes are refused. */
  refuse(fault: string): void {
    this.#fault ??= fault;
    this.#at = this.#bytes.length;
  }

  /** A field's number, and below it three bits of wire type. */
  tag(): number {
    const tag = this.varint(MAX_TAG_BYTES);
    if (tag > 0xffff_ffff) this.refuse(`a tag is longer than 32 bits (byte ${this.#at})`);
    return tag;
  }

  /** At most 64 bits in at most `maxBytes` bytes; exact up to 2^53, which is more than tags and lengths need. */
  varint(maxBytes = MAX_VARINT_BYTES): number {
    const start = this.#at;
    this.low = this.high = 0;
    const first = this.#bytes[start];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return (this.low = first); // nearly all are so short
    }
    for (let count = 0; count < maxBytes; count++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) {
        this.refuse('it is cut short');
        return 0;
      }
      this.#at++;
      if (count === LAST_BYTE && byte > 1) break; // bits 64 and up
      this.#addBits(byte & 0x7f, 7 * count);
      if (byte < 0x80) return this.high * 2 ** 32 + this.low;
    }
    this.refuse(`a number is too long (byte ${start})`);
    return 0;
  }

  #addBits(bits: number, shift: number): void {
    if (shift < 32) this.low = (this.low | (bits << shift)) >>> 0;
    if (shift > 32) this.high = (this.high | (bits << (shift - 32))) >>> 0;
    else if (shift > 25) this.high = bits >>> (32 - shift);
  }

  skip(length: number): void {
    if (length > this.left) this.refuse('it is cut short');
    else this.#at += length;
  }

  /** A length and as many bytes. */
  bytes(): Uint8Array {
    const length = this.varint(MAX_TAG_BYTES);
    const start = this.#at;
    this.skip(length);
    return this.#bytes.subarray(start, this.#at);
  }
}
