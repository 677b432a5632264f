import { Writer } from './writer';

/** Some bytes of a message: as they are, or what writes them when the message is encoded. */
export type Part = Uint8Array | ((out: Writer) => void);

/** undefined: a message is being written, and who encodes inside of its parts needs another one. */
let idle: Writer | undefined = new Writer();

/** The bytes of all parts, in order. */
export function encode(...parts: readonly Part[]): Uint8Array {
  const out = idle ?? new Writer();
  idle = undefined;
  try {
    const start = out.begin();
    putAll(out, parts);
    return out.since(start);
  } finally {
    idle = out;
  }
}

/** Several parts as one. */
export function all(...parts: readonly Part[]): Part {
  return (out) => {
    putAll(out, parts);
  };
}

function putAll(out: Writer, parts: readonly Part[]): void {
  for (const part of parts) put(out, part);
}

export function put(out: Writer, part: Part): void {
  if (typeof part === 'function') part(out);
  else out.bytes(part);
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

/** One attribute, padded to four bytes; its payload is all `payload` in order. */
export function attribute(type: number, ...payload: readonly Part[]): Part {
  return (out) => {
    const at = out.open(type);
    putAll(out, payload);
    out.close(at);
  };
}

/** An attribute that holds attributes. */
export function nested(type: number, ...attributes: readonly Part[]): Part {
  return (out) => {
    const at = out.openNested(type);
    putAll(out, attributes);
    out.close(at);
  };
}

export function utf8(text: string): Part {
  return (out) => {
    out.text(text);
  };
}

/** A string with its NUL. */
export const stringAttribute = (type: number, text: string): Part => attribute(type, utf8(text), u8(0));
