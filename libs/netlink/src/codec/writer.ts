import { setU16host, setU32host, viewOf } from './numbers';

const ENOUGH_FOR_MOST = 512;
const ASCII_END = 0x80;
const encoder = new TextEncoder();

/** A buffer that grows. Numbers in the machine's byte order are `host`, those in the network's are `be`. */
export class Writer {
  #bytes = new Uint8Array(ENOUGH_FOR_MOST);
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
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
    const start = this.#length;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= ASCII_END) {
        this.#length = start;
        this.bytes(encoder.encode(text));
        return;
      }
      this.u8(code);
    }
  }

  zeros(count: number): void {
    const at = this.#claim(count);
    this.#bytes.fill(0, at, at + count);
  }

  /** Writes over what is at `at`. */
  patchU16host(at: number, value: number): void {
    setU16host(this.#view, at, value);
  }

  /** Makes room for `count` bytes and returns where it begins. */
  #claim(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) this.#enlarge();
    return at;
  }

  #enlarge(): void {
    const larger = new Uint8Array(2 * this.#length);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}
