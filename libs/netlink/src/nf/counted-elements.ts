import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { align4, getU16host, viewOf } from '../codec/numbers';
import type { Query } from '../request';
import { dumpElements, type SetRef } from './elements';
import { messageType, NFGENMSG } from './nfnetlink';

/** An element of a set that counts, as the kernel shows it. */
export interface CountedKey {
  /** Its bytes as Latin-1: something to look it up by, and `Buffer.from(key, 'latin1')` gives them back. */
  readonly key: string;
  readonly bytes: bigint;
  readonly packets: bigint;
}

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWSETELEM = 12;
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

/**
 * The elements of a set whose only expression is a counter; ENOENT. As `dumpElements`, without a table of attributes for each element:
 * a thousand of them are read whenever somebody asks for the counters.
 */
export const dumpCountedElements = (set: SetRef): Query<readonly CountedKey[]> => ({
  ...dumpElements(set),
  decode: decodeCountedElements,
});

/** Throws MalformedError. */
function decodeCountedElements({ type, body }: NetlinkMessage): readonly CountedKey[] | null {
  if (type !== messageType(NFT_MSG_NEWSETELEM)) return null;
  if (body.length < NFGENMSG) throw new MalformedError(`set element message of ${body.length} bytes`);
  const view = viewOf(body);
  const text = Buffer.from(body.buffer, body.byteOffset, body.length);
  const list = find(view, NFGENMSG, body.length, LIST_ELEMENTS);
  if (list === ABSENT) return [];
  const elements: CountedKey[] = []; // BOUNDED: by one message
  const end = endOf(view, list);
  for (let at = list; at < end;) {
    const element = payloadAt(view, at, end);
    elements.push(decodeElement(text, view, element));
    at = align4(endOf(view, element) - list) + list;
  }
  return elements;
}

function decodeElement(text: Buffer, view: DataView, element: number): CountedKey {
  const key = within(view, within(view, element, ELEM_KEY), DATA_VALUE);
  const counter = within(view, expressionOf(view, element), EXPR_DATA);
  return {
    key: text.toString('latin1', key, endOf(view, key)),
    bytes: u64(view, within(view, counter, COUNTER_BYTES)),
    packets: u64(view, within(view, counter, COUNTER_PACKETS)),
  };
}

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

function u64(view: DataView, start: number): bigint {
  if (endOf(view, start) - start !== 8) throw new MalformedError('counter that is not of 8 bytes');
  return view.getBigUint64(start);
}
