import { DNS_HEADER_LENGTH } from './constants';

/** Why bytes are no domain name. */
export type NameFault =
  /** Beyond the end of the message. */
  | 'name-truncated'
  /** A label of a kind that is not in use (RFC 6891 §5), or longer than 63. */
  | 'name-label'
  /** Not strictly backwards, into the header, or too many of them. */
  | 'name-pointer'
  /** RFC 1035 §2.3.4: more than 255 bytes. */
  | 'name-long';

const MAX_NAME = 255;
/** Real messages have two or three; each costs work. */
const MAX_POINTERS = 32;
const POINTER = 0xc0;

/** Bytes that the name at `at` takes in the message, up to its first pointer; a fault as a negative number (see `nameFaultOf`). */
export function skipName(message: Uint8Array, at: number, end: number): number {
  let [place, floor, length, pointers, taken] = [at, at, 1, 0, 0];
  for (;;) {
    if (place >= end) return FAULT.truncated;
    const byte = message[place] ?? 0;
    if (byte === 0) return pointers === 0 ? place + 1 - at : taken;
    if (byte >= POINTER) {
      if (place + 1 >= end) return FAULT.truncated;
      if (pointers === 0) taken = place + 2 - at;
      const target = ((byte & 0x3f) << 8) | (message[place + 1] ?? 0);
      if (target >= floor || target < DNS_HEADER_LENGTH || ++pointers > MAX_POINTERS) return FAULT.pointer;
      place = floor = target;
    } else {
      if (byte > 63) return FAULT.label;
      length += byte + 1;
      if (length > MAX_NAME) return FAULT.long;
      place += byte + 1;
    }
  }
}

const FAULT = { truncated: -1, label: -2, pointer: -3, long: -4 } as const;
const FAULT_NAMES: readonly NameFault[] = ['name-truncated', 'name-label', 'name-pointer', 'name-long'];

/** The fault that `skipName` returned as a negative number. */
export const nameFaultOf = (negative: number): NameFault => FAULT_NAMES[-negative - 1] ?? 'name-label';

/** A name without pointers, its letters as they were: length and bytes of each label, then 0. */
export type WireName = Uint8Array;

/** The name at `at`, which `skipName` has found to be one. */
export function nameAt(message: Uint8Array, at: number): WireName {
  let length = 0;
  for (let place = at; ;) {
    const byte = message[place] ?? 0;
    if (byte === 0) break;
    if (byte >= POINTER) {
      place = ((byte & 0x3f) << 8) | (message[place + 1] ?? 0);
      continue;
    }
    SCRATCH.set(message.subarray(place, place + byte + 1), length);
    length += byte + 1;
    place += byte + 1;
  }
  SCRATCH[length] = 0;
  return SCRATCH.slice(0, length + 1);
}

const SCRATCH = new Uint8Array(MAX_NAME + 1); // of one call

/** A name as a key of maps: names that DNS holds to be the same (RFC 1035 §2.3.3) have the same key. */
export type NameKey = string & { readonly nameKey: true };

export function nameKey(name: WireName): NameKey {
  let key = '';
  for (const byte of name) key += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);
  return key as NameKey;
}

/** For people: labels with dots between them, without the last; dots and backslashes in a label are escaped, others as they are. */
export function nameText(name: WireName): string {
  const labels = labelsOf(name).map((label) => DECODER.decode(label).replaceAll(/[.\\]/g, '\\$&'));
  return labels.length === 0 ? '.' : labels.join('.');
}

/** The labels' bytes, views of the name. */
export function labelsOf(name: WireName): readonly Uint8Array[] {
  const labels: Uint8Array[] = []; // BOUNDED: a name has 255 bytes
  for (let at = 0; at < name.length;) {
    const length = name[at] ?? 0;
    if (length === 0) break;
    labels.push(name.subarray(at + 1, at + 1 + length));
    at += length + 1;
  }
  return labels;
}

/** A name of labels as text; null where a label is empty or longer than 63 bytes, or the name than 255. */
export function nameFromLabels(labels: readonly string[]): WireName | null {
  const parts = labels.map((label) => ENCODER.encode(label));
  if (parts.some(({ length }) => length === 0 || length > 63)) return null;
  const name = Uint8Array.from([...parts.flatMap((part) => [part.length, ...part]), 0]);
  return name.length > MAX_NAME ? null : name;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
