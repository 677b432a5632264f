const FIRST_ROOM = 128; // enough for nearly all messages
const MAX_VARINT32_BYTES = 5;

/** Writes protobuf's basic forms one after the other. */
export class ProtoWriter {
  #bytes = new Uint8Array(FIRST_ROOM);
  #length = 0;

  /** What was written; the writer's own bytes. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Of at most 32 bits, unsigned: tags and lengths too. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT32_BYTES);
    let left = value;
    for (; left > 0x7f; left >>>= 7) this.#bytes[this.#length++] = (left & 0x7f) | 0x80;
    this.#bytes[this.#length++] = left;
  }

  /** Of 64 bits, unsigned. */
  varint64(value: bigint): void {
    let left = value;
    for (; left > 0x0fff_ffffn; left >>= 28n) {
      const bits = Number(left & 0x0fff_ffffn); // four bytes at a time: bigint arithmetic is slow
      this.#reserve(4);
      for (let shift = 0; shift < 28; shift += 7)
        this.#bytes[this.#length++] = ((bits >>> shift) & 0x7f) | 0x80;
    }
    this.varint(Number(left));
  }

  /** A length and as many bytes. */
  lengthAndBytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** As UTF-8, after its length. */
  text(text: string): void {
    const start = this.beginLength();
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) {
        this.#length = start - 1;
        this.lengthAndBytes(UTF8.encode(text));
        return;
      }
      this.#bytes[this.#length++] = code;
    }
    this.endLength(start);
  }

  /** What is written from here to `endLength` is preceded by its length; returns where it starts. */
  beginLength(): number {
    this.varint(0); // nearly all lengths take one byte
    return this.#length;
  }

  endLength(start: number): void {
    const length = this.#length - start;
    if (length > 0x7f) this.#shift(start, length);
    else this.#bytes[start - 1] = length;
  }

  /** Makes room for a length that takes more than one byte. */
  #shift(start: number, length: number): void {
    this.#reserve(MAX_VARINT32_BYTES);
    const from = this.#bytes.slice(start, start + length);
    this.#length = start - 1;
    this.lengthAndBytes(from);
  }

  /** Room for `count` more bytes. */
  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + count, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

const UTF8 = new TextEncoder();
