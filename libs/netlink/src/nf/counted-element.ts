import { MalformedError } from '../codec/malformed';
import { align4, getU16host } from '../codec/numbers';

/** An element of a set that counts, found in the message that shows it: nothing of it is copied. */

// linux/netfilter/nf_tables.h
const LIST_ELEMENTS = 3;
const ELEM_KEY = 1;
const ELEM_EXPR = 7;
const ELEM_EXPRESSIONS = 11;
const DATA_VALUE = 1;
const EXPR_DATA = 2;
const COUNTER_BYTES = 1;
const COUNTER_PACKETS = 2;
const NLATTR = 4;
const TYPE_MASK = 0x3fff;

/** Where an element lies. */
export interface Place {
  readonly view: DataView;
  /** Where its attributes begin: the header before them was checked. */
  readonly at: number;
}

/** Offsets in an element. */
export interface Layout {
  readonly key: number;
  readonly keyLength: number;
  /** Of eight bytes each. */
  readonly bytes: number;
  readonly packets: number;
}

/** Calls `take` with where each element in a message begins, in order. Throws MalformedError. */
export function forEachElement(view: DataView, from: number, take: (at: number) => void): void {
  const list = find(view, from, view.byteLength, LIST_ELEMENTS);
  if (list === ABSENT) return;
  const end = endOf(view, list);
  for (let at = list; at < end;) {
    const element = payloadAt(view, at, end);
    take(element);
    at = align4(endOf(view, element) - list) + list;
  }
}

/** Throws MalformedError for an element without key or counter. */
export function layoutOf({ view, at }: Place): Layout {
  const key = within(view, within(view, at, ELEM_KEY), DATA_VALUE);
  const counter = within(view, expressionOf(view, at), EXPR_DATA);
  const [bytes, packets] = [within(view, counter, COUNTER_BYTES), within(view, counter, COUNTER_PACKETS)];
  for (const count of [bytes, packets])
    if (endOf(view, count) - count !== 8) throw new MalformedError('counter that is not of 8 bytes');
  return { key: key - at, keyLength: endOf(view, key) - key, bytes: bytes - at, packets: packets - at };
}

/** Whether two elements differ; `layout` is that of the first. */
export function compare(a: Place, layout: Layout, b: Place): 'same' | 'counts' | 'other' {
  const length = endOf(a.view, a.at) - a.at;
  if (endOf(b.view, b.at) - b.at !== length || length % 4 !== 0) return 'other';
  let isSame = true;
  for (let i = 0; i < length; i += 4) {
    if (a.view.getUint32(a.at + i) === b.view.getUint32(b.at + i)) continue;
    if (!isWithin(i, layout.bytes) && !isWithin(i, layout.packets)) return 'other';
    isSame = false;
  }
  return isSame ? 'same' : 'counts';
}

const isWithin = (offset: number, count: number): boolean => offset >= count && offset < count + 8;

/** One expression is shown by itself, several as a list. */
function expressionOf(view: DataView, element: number): number {
  const single = find(view, element, endOf(view, element), ELEM_EXPR);
  if (single !== ABSENT) return single;
  const many = within(view, element, ELEM_EXPRESSIONS);
  return payloadAt(view, many, endOf(view, many));
}

const ABSENT = -1;

/** Where the payload of the nested attribute begins; MalformedError where there is none. */
function within(view: DataView, parent: number, type: number): number {
  const start = find(view, parent, endOf(view, parent), type);
  if (start === ABSENT) throw new MalformedError(`no attribute ${type} in a set element`);
  return start;
}

/** Where the payload of the first attribute of this type begins, or ABSENT. */
function find(view: DataView, from: number, end: number, type: number): number {
  for (let at = from; at < end;) {
    const start = payloadAt(view, at, end);
    if ((getU16host(view, at + 2) & TYPE_MASK) === type) return start;
    at = align4(endOf(view, start) - from) + from;
  }
  return ABSENT;
}

/** Of the attribute that begins at `at`, which must lie before `end`. */
function payloadAt(view: DataView, at: number, end: number): number {
  if (at + NLATTR > end) throw new MalformedError(`${end - at} bytes after the last attribute`);
  const length = getU16host(view, at);
  if (length < NLATTR || at + length > end) throw new MalformedError(`attribute of ${length} bytes`);
  return at + NLATTR;
}

/** Where the payload that begins at `start` ends: its header, before it, was checked. */
const endOf = (view: DataView, start: number): number => start - NLATTR + getU16host(view, start - NLATTR);
