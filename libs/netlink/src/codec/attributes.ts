import { MalformedError } from './malformed';
import { align4, decodeText, getS32host, getU16host, getU32host, viewOf } from './numbers';

// linux/netlink.h, struct nlattr: u16 nla_len (header included, padding not), u16 nla_type.
const HEADER = 4;
const TYPE_MASK = 0x3fff; // neither NLA_F_NESTED nor NLA_F_NET_BYTEORDER

/** A sequence of attributes, as received. Getters give null for what is absent and throw MalformedError for a wrong length. */
export class Attributes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Type to place; of several of one type the last counts, as in the kernel. */
  readonly #places = new Map<number, number>(); // BOUNDED: by one datagram

  /** Attributes fill `bytes` from `from` to the end. */
  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    for (let at = from; at < bytes.length;) {
      const next = placeAfter(this.#view, at, from);
      this.#places.set(getU16host(this.#view, at + 2) & TYPE_MASK, at);
      at = next;
    }
  }

  has(type: number): boolean {
    return this.#places.has(type);
  }

  bytes(type: number): Uint8Array | null {
    const at = this.#places.get(type);
    return at === undefined ? null : this.#bytes.subarray(at + HEADER, at + getU16host(this.#view, at));
  }

  u8(type: number): number | null {
    const at = this.#numberAt(type, 1);
    return at === null ? null : this.#view.getUint8(at);
  }

  u16host(type: number): number | null {
    const at = this.#numberAt(type, 2);
    return at === null ? null : getU16host(this.#view, at);
  }

  u32host(type: number): number | null {
    const at = this.#numberAt(type, 4);
    return at === null ? null : getU32host(this.#view, at);
  }

  s32host(type: number): number | null {
    const at = this.#numberAt(type, 4);
    return at === null ? null : getS32host(this.#view, at);
  }

  u32be(type: number): number | null {
    const at = this.#numberAt(type, 4);
    return at === null ? null : this.#view.getUint32(at);
  }

  u64be(type: number): bigint | null {
    const at = this.#numberAt(type, 8);
    return at === null ? null : this.#view.getBigUint64(at);
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

  /** Where its payload is, which has so many bytes. */
  #numberAt(type: number, length: number): number | null {
    const at = this.#places.get(type);
    if (at === undefined) return null;
    const found = getU16host(this.#view, at) - HEADER;
    if (found !== length) throw new MalformedError(`attribute ${type} has ${found} bytes, not ${length}`);
    return at + HEADER;
  }
}

/** The payloads of a nested list, where the same type comes many times (NFTA_LIST_ELEM). */
export function list(bytes: Uint8Array): readonly Uint8Array[] {
  const payloads: Uint8Array[] = []; // BOUNDED: by one datagram
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length;) {
    const next = placeAfter(view, at, 0);
    payloads.push(bytes.subarray(at + HEADER, at + getU16host(view, at)));
    at = next;
  }
  return payloads;
}

/** Of the attribute after the one at `at`. Refuses one that is cut off, and bytes after the last; its padding may be absent. */
function placeAfter(view: DataView, at: number, from: number): number {
  const left = view.byteLength - at;
  if (left < HEADER) throw new MalformedError(`${left} bytes after the last attribute`);
  const length = getU16host(view, at);
  if (length < HEADER || length > left) throw new MalformedError(`attribute of ${length} bytes`);
  return align4(at + length - from) + from;
}
