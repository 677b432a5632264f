import { align4, setU16host, setU32host, viewOf } from './numbers';

const BUFFER = 16 << 10;
const ENOUGH_FOR_MOST = 1 << 10;
const ASCII_END = 0x80;
const encoder = new TextEncoder();

// linux/netlink.h, struct nlattr: u16 nla_len (header included, padding not), u16 nla_type.
const HEADER = 4;
const NLA_F_NESTED = 0x8000;
const MAX_LENGTH = 0xffff;

/** Writes messages one after the other into a buffer, which costs less than a buffer for each: numbers, `host` in the machine's byte order, `be` in the network's; and attributes, padded to four bytes. */
export class Writer {
  #bytes = new Uint8Array(BUFFER);
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Before the first byte of a message; returns where it begins. Where little room is left there is a new buffer. */
  begin(): number {
    if (this.#bytes.length - this.#length < ENOUGH_FOR_MOST) {
      this.#replace(BUFFER, 0);
      this.#length = 0;
    }
    return this.#length;
  }

  /** What was written since `start`; nothing writes there again. */
  since(start: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, start, this.#length - start);
  }

  u8(value: number): void {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
  }

  u16host(value: number): void {
    const at = this.#claim(2);
    setU16host(this.#view, at, value);
  }

  u32host(value: number): void {
    const at = this.#claim(4);
    setU32host(this.#view, at, value);
  }

  u16be(value: number): void {
    const at = this.#claim(2);
    this.#view.setUint16(at, value);
  }

  u32be(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value);
  }

  u64be(value: bigint): void {
    const at = this.#claim(8);
    this.#view.setBigUint64(at, value);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** UTF-8, without NUL. Names are short and ASCII, for which an encoder takes longer than a loop. */
  text(text: string): void {
    const start = this.#claim(text.length);
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= ASCII_END) {
        this.#length = start;
        this.bytes(encoder.encode(text));
        return;
      }
      this.#bytes[start + index] = code;
    }
  }

  zeros(count: number): void {
    const at = this.#claim(count);
    this.#bytes.fill(0, at, at + count);
  }

  /** Zeros, until what was written since `start` is a multiple of four long. */
  align4(start: number): void {
    const length = this.#length - start;
    const padding = align4(length) - length;
    if (padding > 0) this.zeros(padding);
  }

  /** Begins an attribute: what is written until `close` is its payload. Returns its place. */
  open(type: number): number {
    const at = this.#claim(HEADER);
    setU16host(this.#view, at + 2, type);
    return at;
  }

  /** Begins an attribute that holds attributes. */
  openNested(type: number): number {
    return this.open(type | NLA_F_NESTED);
  }

  close(at: number): void {
    const length = this.#length - at;
    if (length > MAX_LENGTH) throw new RangeError(`netlink attribute of ${length} bytes`);
    setU16host(this.#view, at, length);
    this.align4(at);
  }

  u32hostAttribute(type: number, value: number): void {
    const at = this.#claim(HEADER + 4);
    setU16host(this.#view, at, HEADER + 4);
    setU16host(this.#view, at + 2, type);
    setU32host(this.#view, at + HEADER, value);
  }

  u32beAttribute(type: number, value: number): void {
    const at = this.#claim(HEADER + 4);
    setU16host(this.#view, at, HEADER + 4);
    setU16host(this.#view, at + 2, type);
    this.#view.setUint32(at + HEADER, value);
  }

  bytesAttribute(type: number, bytes: Uint8Array): void {
    const at = this.open(type);
    this.bytes(bytes);
    this.close(at);
  }

  /** A string with its NUL. */
  stringAttribute(type: number, text: string): void {
    const at = this.open(type);
    this.text(text);
    this.u8(0);
    this.close(at);
  }

  /** A string without NUL, for what the kernel takes by its length (IFLA_IFALIAS). */
  textAttribute(type: number, text: string): void {
    const at = this.open(type);
    this.text(text);
    this.close(at);
  }

  /** Makes room for `count` bytes and returns where it begins. */
  #claim(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) this.#replace(2 * this.#length, at);
    return at;
  }

  /** Goes on in another buffer, with the first `kept` bytes of this one. */
  #replace(size: number, kept: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, kept));
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}
