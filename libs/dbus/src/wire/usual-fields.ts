import { Fields, RULE_OF_CODE, type FieldRule } from './header-fields';
import { FIXED_HEADER_BYTES } from './limits';

/** Of the messages that everybody sends: their syntax needs no look. */
const USUAL_SIGNATURES: ReadonlySet<string> = new Set(['', 'ay', 'ayh', 's', 'sss', 'a{sv}']);

const VARIANT_BYTES = 4; // code, signature length, one type code, NUL

/**
 * The fields of a little-endian header, which end before `end`, in one pass; undefined where anything is not as usual, right or wrong:
 * the general reader knows. What is accepted here, it would accept.
 */
export function readUsualFields(bytes: Buffer, end: number): Fields | undefined {
  const fields = new Fields();
  for (let at = FIXED_HEADER_BYTES; at < end;) {
    const rule = RULE_OF_CODE[bytes[at] ?? 0];
    if (rule === undefined || fields.has(rule.name)) return undefined;
    if (bytes[at + 1] !== 1 || bytes[at + 2] !== rule.type.charCodeAt(0) || bytes[at + 3] !== 0)
      return undefined;
    const next = readValue(fields, rule, bytes, at + VARIANT_BYTES, end);
    if (next === undefined) return undefined;
    if (next === end) return fields;
    at = align8(next);
    if (at >= end || !areZeros(bytes, next, at)) return undefined;
  }
  return fields;
}

/** Returns where the value ends. */
function readValue(
  fields: Fields,
  { name, type, isValid }: FieldRule,
  bytes: Buffer,
  at: number,
  end: number,
): number | undefined {
  const start = type === 'g' ? at + 1 : at + 4;
  if (start > end) return undefined;
  const number = type === 'g' ? (bytes[at] ?? 0) : bytes.readUInt32LE(at);
  if (type === 'u') {
    fields.set(name, number);
    return start;
  }
  const stop = start + number;
  if (stop >= end || bytes[stop] !== 0) return undefined;
  const text = bytes.toString('latin1', start, stop);
  if (!(isValid === undefined ? USUAL_SIGNATURES.has(text) : isValid(text))) return undefined;
  fields.set(name, text);
  return stop + 1;
}

function areZeros(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

const align8 = (offset: number): number => (offset + 7) & ~7;
