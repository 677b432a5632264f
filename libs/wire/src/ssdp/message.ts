/** Why bytes are no SSDP message. Closed: counters are kept by it. */
export type SsdpFault =
  /** Longer than what anybody sends, or with more header lines. */
  | 'ssdp-long'
  /** None of NOTIFY, M-SEARCH and an answer with status 200, in HTTP/1. */
  | 'ssdp-start'
  /** A line that is no header, or a byte that no header may have. */
  | 'ssdp-header'
  /** A search without MAN "ssdp:discover" or without ST (UPnP Device Architecture 2.0, §1.3.2). */
  | 'ssdp-search'
  /** An announcement without NT or without NTS (§1.2.2). */
  | 'ssdp-notify';

/** One header line; `start` to `end` is where the bytes of its value are. */
export interface SsdpHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
  /** The whole line with what ends it. */
  readonly line: { readonly start: number; readonly end: number };
}

export interface SsdpMessage {
  readonly kind: 'notify' | 'search' | 'response';
  readonly headers: readonly SsdpHeader[];
}

/** UPnP Device Architecture 2.0, §1.1.2 wants it to fit one packet; real ones have 20 lines at most. */
const MAX_BYTES = 8972;
const MAX_HEADERS = 64;

const STARTS: readonly { readonly kind: SsdpMessage['kind']; readonly line: RegExp }[] = [
  { kind: 'notify', line: /^NOTIFY \* HTTP\/1\.[01] *$/i },
  { kind: 'search', line: /^M-SEARCH \* HTTP\/1\.[01] *$/i },
  { kind: 'response', line: /^HTTP\/1\.[01] 200(?: |$)/i },
];

/** RFC 9110 §5.6.2: the characters of a header's name. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*/;
// eslint-disable-next-line no-control-regex -- what no header may hold is what is looked for
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

export type DecodedSsdp =
  { readonly ok: true; readonly value: SsdpMessage } | { readonly ok: false; readonly fault: SsdpFault };

const undecoded = (fault: SsdpFault): DecodedSsdp => ({ ok: false, fault });

/** Lines may end with LF alone, the empty line may be missing, and C's NUL may be sent behind it: all are common. */
export function decodeSsdp(bytes: Uint8Array): DecodedSsdp {
  if (bytes.length > MAX_BYTES) return undecoded('ssdp-long');
  const text = LATIN1.decode(bytes.subarray(0, lengthWithoutNuls(bytes))); // one character a byte, so that places are the same
  if (CONTROL.test(text)) return undecoded('ssdp-header');
  const first = lineEnd(text, 0);
  const start = STARTS.find(({ line }) => line.test(text.slice(0, first.end)));
  if (start === undefined) return undecoded('ssdp-start');
  const headers = headersFrom(text, first.next);
  if (typeof headers === 'string') return undecoded(headers);
  const fault = missing(start.kind, headers);
  return fault === null ? { ok: true, value: { kind: start.kind, headers } } : undecoded(fault);
}

function lengthWithoutNuls(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return length;
}

const LATIN1 = new TextDecoder('latin1');

/** Where the line that begins at `from` ends, and the next begins. */
function lineEnd(text: string, from: number): { readonly end: number; readonly next: number } {
  const at = text.indexOf('\n', from);
  if (at < 0) return { end: text.length, next: text.length };
  return { end: at > from && text[at - 1] === '\r' ? at - 1 : at, next: at + 1 };
}

function headersFrom(text: string, from: number): readonly SsdpHeader[] | SsdpFault {
  const headers: SsdpHeader[] = []; // BOUNDED: MAX_HEADERS
  for (let at = from; at < text.length;) {
    const { end, next } = lineEnd(text, at);
    if (end === at) break; // what follows is a body, which SSDP does not have
    const match = HEADER.exec(text.slice(at, end));
    if (match === null) return 'ssdp-header';
    if (headers.length === MAX_HEADERS) return 'ssdp-long';
    const start = at + match[0].length;
    const value = text.slice(start, end).trimEnd();
    headers.push({
      name: (match[1] ?? '').toLowerCase(),
      value,
      start,
      end: start + value.length,
      line: { start: at, end: next },
    });
    at = next;
  }
  return headers;
}

/** The value of the first header of this name (in lower case). */
export const headerOf = ({ headers }: Pick<SsdpMessage, 'headers'>, name: string): string | undefined =>
  headers.find((header) => header.name === name)?.value;

function missing(kind: SsdpMessage['kind'], headers: readonly SsdpHeader[]): SsdpFault | null {
  const has = (name: string): boolean =>
    headers.some((header) => header.name === name && header.value !== '');
  switch (kind) {
    case 'search':
      return has('st') && headerOf({ headers }, 'man')?.replaceAll('"', '').toLowerCase() === 'ssdp:discover'
        ? null
        : 'ssdp-search';
    case 'notify':
      return has('nt') && has('nts') ? null : 'ssdp-notify';
    case 'response':
      return null;
  }
}

/** Seconds that a searcher waits for answers: MX, at most 5 as the standard has it; 1 where it says nothing sensible. */
export function maxWaitSec(message: SsdpMessage): number {
  const seconds = Number(headerOf(message, 'mx'));
  return Number.isInteger(seconds) && seconds >= 1 ? Math.min(5, seconds) : 1;
}

/** Puts texts (ASCII) into the places of others; no other byte changes. Places in ascending order. */
export function withTexts(
  bytes: Uint8Array,
  texts: readonly { readonly start: number; readonly end: number; readonly text: string }[],
): Uint8Array {
  const parts: Uint8Array[] = []; // BOUNDED: two for each header line
  let at = 0;
  for (const { start, end, text } of texts) {
    parts.push(bytes.subarray(at, start), ENCODER.encode(text));
    at = end;
  }
  parts.push(bytes.subarray(at));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let length = 0;
  for (const part of parts) {
    whole.set(part, length);
    length += part.length;
  }
  return whole;
}

const ENCODER = new TextEncoder();
