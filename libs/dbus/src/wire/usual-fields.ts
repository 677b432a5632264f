import { BoundedMap } from '@pp/base';
import { ruleOf, type FieldName, type HeaderFields } from './header-fields';
import { FIXED_HEADER_BYTES } from './limits';

/** The code, and a signature of one letter. */
const START_BYTES = 4;

/**
 * The fields of a little-endian header that has only those that are specified, each of its type, valid, and once: of nearly every
 * message. Undefined for all others: `readFields` knows what to pass over, and what to say. `end`: of the fields; the padding to the
 * next multiple of 8 is there.
 */
export function usualFields(bytes: Buffer, end: number): HeaderFields | undefined {
  const fields = noFields();
  for (let at = FIXED_HEADER_BYTES; at < end;) {
    for (; at % 8 !== 0; at++) if (bytes[at] !== 0) return undefined;
    if (at >= end) return undefined; // zeros behind the last field are not padding
    const rule = ruleOf(bytes[at] ?? 0);
    if (rule === undefined || bytes.readUInt32LE(at) !== rule.start) return undefined;
    at += START_BYTES;
    const { code } = rule.type;
    const number = code === 'g' ? (bytes[at] ?? 0) : bytes.readUInt32LE(at);
    at += code === 'g' ? 1 : 4;
    let value: string | number = number;
    if (code !== 'u') {
      const past = at + number;
      if (past >= end || bytes[past] !== 0) return undefined;
      value = bytes.toString('latin1', at, past); // what is valid is ASCII
      at = past + 1;
    }
    if (at > end || fields[rule.name] !== undefined || !rule.isValid(value)) return undefined;
    fields[rule.name] = value;
  }
  return fields as HeaderFields; // each rule has the type of its field
}

/** What one caller calls, and who it is: clients repeat themselves. */
const MAX_KNOWN = 64;
const MAX_KNOWN_BYTES = 512;

/** `usualFields` of calls, each read once: bytes that were seen before are known by a look at them. */
export class KnownCalls {
  readonly #known = new BoundedMap<string, HeaderFields>(MAX_KNOWN, () => undefined);

  /** As `usualFields`. */
  fieldsOf(bytes: Buffer, end: number): HeaderFields | undefined {
    if (end > MAX_KNOWN_BYTES) return usualFields(bytes, end);
    const text = bytes.toString('latin1', FIXED_HEADER_BYTES, end);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const fields = usualFields(bytes, end);
    if (fields !== undefined) this.#known.set(text, fields);
    return fields;
  }
}

/** All of them in the same order, so that V8 sees one shape. */
export function noFields(): Record<FieldName, unknown> {
  return {
    path: undefined,
    interface: undefined,
    member: undefined,
    errorName: undefined,
    replySerial: undefined,
    destination: undefined,
    sender: undefined,
    signature: undefined,
    unixFds: undefined,
  };
}
