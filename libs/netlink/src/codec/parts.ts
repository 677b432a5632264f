import { align4 } from './numbers';
import { Writer } from './writer';

/** Some bytes of a message: as they are, or what writes them when the message is encoded. */
export type Part = Uint8Array | ((out: Writer) => void);

/** The bytes of all parts, in order. */
export function encode(...parts: readonly Part[]): Uint8Array {
  const out = new Writer();
  put(out, parts);
  return out.written;
}

/** Several parts as one. */
export function all(...parts: readonly Part[]): Part {
  return (out) => {
    put(out, parts);
  };
}

function put(out: Writer, parts: readonly Part[]): void {
  for (const part of parts) {
    if (typeof part === 'function') part(out);
    else out.bytes(part);
  }
}

/** `describe(value)`, or nothing when there is no value: what is absent costs no branch at the call. */
export const optional = <T>(value: T | null | undefined, describe: (value: T) => Part): Part =>
  value === null || value === undefined ? NOTHING : describe(value);

const NOTHING = new Uint8Array(0);

export function u8(...values: readonly number[]): Part {
  return (out) => {
    for (const value of values) out.u8(value);
  };
}

export function u16host(value: number): Part {
  return (out) => {
    out.u16host(value);
  };
}

export function u32host(value: number): Part {
  return (out) => {
    out.u32host(value);
  };
}

export function u16be(value: number): Part {
  return (out) => {
    out.u16be(value);
  };
}

export function u32be(value: number): Part {
  return (out) => {
    out.u32be(value);
  };
}

export function u64be(value: bigint): Part {
  return (out) => {
    out.u64be(value);
  };
}

export function zeros(count: number): Part {
  return (out) => {
    out.zeros(count);
  };
}

/** A part with the zeros that make its length a multiple of four. */
export function aligned(part: Part): Part {
  return (out) => {
    const start = out.length;
    put(out, [part]);
    out.zeros(align4(out.length - start) - (out.length - start));
  };
}

// linux/netlink.h, struct nlattr: u16 nla_len (header included, padding not), u16 nla_type.
const NLA_F_NESTED = 0x8000;
const MAX_LENGTH = 0xffff;

/** One attribute, padded to four bytes; its payload is all `payload` in order. */
export function attribute(type: number, ...payload: readonly Part[]): Part {
  return (out) => {
    const start = out.length;
    out.u16host(0);
    out.u16host(type);
    put(out, payload);
    const length = out.length - start;
    if (length > MAX_LENGTH) throw new RangeError(`netlink attribute ${type} of ${length} bytes`);
    out.patchU16host(start, length);
    out.zeros(align4(length) - length);
  };
}

/** An attribute that holds attributes. */
export const nested = (type: number, ...attributes: readonly Part[]): Part =>
  attribute(type | NLA_F_NESTED, ...attributes);

export function utf8(text: string): Part {
  return (out) => {
    out.text(text);
  };
}

/** A string without NUL, for what the kernel takes by its length (IFLA_IFALIAS). */
export const textAttribute = (type: number, text: string): Part => attribute(type, utf8(text));

/** A string with its NUL. */
export const stringAttribute = (type: number, text: string): Part => attribute(type, utf8(text), u8(0));
