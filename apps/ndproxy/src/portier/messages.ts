/*
 * Portier's requests and replies (spec/nd-and-relays.md 1.1): proto2 messages of strings, a bool and an enum, fields numbered in the
 * order of that table from 1. Small enough to be read and written by hand.
 */

/** A field of a request: text, or a number for bool. */
export type Fields = ReadonlyMap<number, string | number>;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/** Fields by number, the last of each; null: not a protobuf. Text that is not UTF-8 is refused. */
export function decodeFields(bytes: Uint8Array): Fields | null {
  const fields = new Map<number, string | number>(); // BOUNDED: by the message, which the bus bounds
  const cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const tag = varint(cursor);
    if (tag === null || tag >>> 3 === 0) return null;
    const value = fieldValue(cursor, tag & 7);
    if (value === null) return null;
    fields.set(tag >>> 3, value);
  }
  return fields;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function fieldValue(cursor: Cursor, wireType: number): string | number | null {
  switch (wireType) {
    case WIRE_VARINT:
      return varint(cursor);
    case WIRE_FIXED64:
    case WIRE_FIXED32:
      return take(cursor, wireType === WIRE_FIXED64 ? 8 : 4) === null ? null : 0;
    case WIRE_BYTES: {
      const length = varint(cursor);
      const value = length === null ? null : take(cursor, length);
      return value === null ? null : text(value);
    }
    default:
      return null;
  }
}

/** Unsigned, exact below 2^53; what is larger only loses digits that nobody reads. */
function varint(cursor: Cursor): number | null {
  let value = 0;
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  return null;
}

function take(cursor: Cursor, length: number): Uint8Array | null {
  const end = cursor.at + length;
  if (end > cursor.bytes.length) return null;
  const taken = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return taken;
}

const decoder = new TextDecoder();
/** What the decoder puts where bytes are no UTF-8; in no name of ours. */
const REPLACEMENT = '\uFFFD';

function text(bytes: Uint8Array): string | null {
  const decoded = decoder.decode(bytes);
  return decoded.includes(REPLACEMENT) ? null : decoded;
}

const encoder = new TextEncoder();
const MAX_REASON_BYTES = 1000;

/** status = 1, and failure_reason = 2 where there is one. */
export function encodeReply(status: number, failureReason = ''): Uint8Array {
  const reason = encoder.encode(failureReason).subarray(0, MAX_REASON_BYTES);
  const head = [1 << 3, status];
  if (reason.length === 0) return Uint8Array.from(head);
  const length =
    reason.length < 0x80 ? [reason.length] : [(reason.length & 0x7f) | 0x80, reason.length >>> 7];
  return Uint8Array.from([...head, (2 << 3) | WIRE_BYTES, ...length, ...reason]);
}
