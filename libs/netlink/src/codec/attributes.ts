import { MalformedError } from './malformed';
import {
  align4,
  decodeText,
  getU16host,
  viewOf,
  readS32host,
  readU16host,
  readU32be,
  readU32host,
  readU64be,
  readU8,
} from './numbers';

// linux/netlink.h, struct nlattr: u16 nla_len (header included, padding not), u16 nla_type.
const HEADER = 4;
const TYPE_MASK = 0x3fff; // neither NLA_F_NESTED nor NLA_F_NET_BYTEORDER

/** A sequence of attributes, as received. Getters give null for what is absent and throw MalformedError for a wrong length. */
export class Attributes {
  readonly #bytes: Uint8Array;
  /** Type to place of the payload, start and end in one number; of several of one type the last counts, as in the kernel. */
  readonly #places = new Map<number, number>(); // BOUNDED: by one datagram

  /** Attributes fill `bytes` from `from` to the end. */
  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes;
    forEachAttribute(bytes, from, (type, start, end) => {
      this.#places.set(type, start * END_RANGE + end);
    });
  }

  has(type: number): boolean {
    return this.#places.has(type);
  }

  bytes(type: number): Uint8Array | null {
    const place = this.#places.get(type);
    return place === undefined ? null : this.#bytes.subarray(startOf(place), endOf(place));
  }

  u8(type: number): number | null {
    return this.#number(type, 1, readU8);
  }

  u16host(type: number): number | null {
    return this.#number(type, 2, readU16host);
  }

  u32host(type: number): number | null {
    return this.#number(type, 4, readU32host);
  }

  s32host(type: number): number | null {
    return this.#number(type, 4, readS32host);
  }

  u32be(type: number): number | null {
    return this.#number(type, 4, readU32be);
  }

  u64be(type: number): bigint | null {
    return this.#number(type, 8, readU64be);
  }

  /** Text up to its NUL, or all of it when there is none. */
  string(type: number): string | null {
    const bytes = this.bytes(type);
    if (bytes === null) return null;
    const nul = bytes.indexOf(0);
    return decodeText(nul < 0 ? bytes : bytes.subarray(0, nul));
  }

  nested(type: number): Attributes | null {
    const bytes = this.bytes(type);
    return bytes === null ? null : new Attributes(bytes);
  }

  #number<T>(type: number, length: number, read: (bytes: Uint8Array, at: number) => T): T | null {
    const place = this.#places.get(type);
    if (place === undefined) return null;
    const [start, end] = [startOf(place), endOf(place)];
    if (end - start !== length)
      throw new MalformedError(`attribute ${type} has ${end - start} bytes, not ${length}`);
    return read(this.#bytes, start);
  }
}

// A datagram is far shorter than 2^24 bytes, so that both fit a double.
const END_RANGE = 2 ** 24;
const startOf = (place: number): number => Math.floor(place / END_RANGE);
const endOf = (place: number): number => place % END_RANGE;

/** The payloads of a nested list, where the same type comes many times (NFTA_LIST_ELEM). */
export function list(bytes: Uint8Array): readonly Uint8Array[] {
  const payloads: Uint8Array[] = []; // BOUNDED: by one datagram
  forEachAttribute(bytes, 0, (_type, start, end) => payloads.push(bytes.subarray(start, end)));
  return payloads;
}

/** Refuses what is cut off, and bytes after the last; its padding may be absent. */
function forEachAttribute(
  bytes: Uint8Array,
  from: number,
  take: (type: number, start: number, end: number) => void,
): void {
  const view = viewOf(bytes);
  for (let at = from; at < bytes.length;) {
    if (at + HEADER > bytes.length)
      throw new MalformedError(`${bytes.length - at} bytes after the last attribute`);
    const end = at + getU16host(view, at);
    if (end < at + HEADER || end > bytes.length) throw new MalformedError(`attribute of ${end - at} bytes`);
    take(getU16host(view, at + 2) & TYPE_MASK, at + HEADER, end);
    at = align4(end - from) + from;
  }
}
