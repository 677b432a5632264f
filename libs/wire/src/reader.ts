import { undecoded, type Decoded, type DecodeFault } from './decoded';

/**
 * Reads numbers in network order and remembers its first fault: after it every read gives zero or nothing, so that a decoder is straight
 * lines with one check at the end. Slices are views of the bytes given.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #fault: DecodeFault | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes not read yet; 0 after a fault, so that loops end. */
  get left(): number {
    return this.#fault === null ? this.#bytes.length - this.#at : 0;
  }

  u8(): number {
    const at = this.#advance(1);
    return at < 0 ? 0 : (this.#bytes[at] ?? 0);
  }

  u16be(): number {
    const at = this.#advance(2);
    return at < 0 ? 0 : u16At(this.#bytes, at);
  }

  u32be(): number {
    const at = this.#advance(4);
    return at < 0 ? 0 : u16At(this.#bytes, at) * 0x10000 + u16At(this.#bytes, at + 2);
  }

  bytes(count: number): Uint8Array {
    const at = this.#advance(count);
    return at < 0 ? NOTHING : this.#bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** All bytes not read yet. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** Gives up; the first fault stays. */
  fail(fault: DecodeFault): void {
    this.#fault ??= fault;
  }

  /** The value, unless something was wrong or bytes are left. */
  finish<T>(value: () => T): Decoded<T> {
    if (this.left > 0) this.fail('slack');
    return this.#fault === null ? { ok: true, value: value() } : undecoded(this.#fault);
  }

  /** Where the next `count` bytes begin, or -1. */
  #advance(count: number): number {
    if (this.#fault !== null) return -1;
    const at = this.#at;
    if (count > this.#bytes.length - at) {
      this.#fault = 'truncated';
      return -1;
    }
    this.#at = at + count;
    return at;
  }
}

const NOTHING = new Uint8Array(0);

const u16At = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
