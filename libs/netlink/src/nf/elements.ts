import { encode, put } from '../codec/parts';
import type { Part } from '../codec/parts';
import { Attributes, list } from '../codec/attributes';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { NLM_F_CREATE, NLM_F_EXCL } from '../codec/message';
import type { Writer } from '../codec/writer';
import type { NetlinkRequest, Query } from '../request';
import { decodeCounter } from './counter';
import type { Counter } from './counter';
import { messageType, NFGENMSG, putNfgenmsg } from './nfnetlink';
import type { TableRef } from './nfnetlink';

export interface SetRef {
  readonly table: TableRef;
  readonly name: string;
}

/** An element of a set, of a verdict map, or of a map of values. */
export interface SetElement {
  /** As `encodeKey` makes it. */
  readonly key: Part;
  /** In a set of concatenated intervals: the last key of the range. */
  readonly keyEnd?: Part;
  /** In a set of plain intervals: `key` is the first one after the range that the element before it began. */
  readonly intervalEnd?: boolean;
  /** Chain to jump to; of verdict maps. */
  readonly jump?: string | undefined;
  /** Value, as `encodeKey` makes it; of maps of values. */
  readonly data?: Part | undefined;
  readonly timeoutMs?: number;
  /** As a person would write it, for the error message. */
  readonly text: string;
}

/** An element as the kernel shows it. */
export interface ShownElement {
  readonly key: Uint8Array;
  readonly keyEnd: Uint8Array | null;
  readonly intervalEnd: boolean;
  readonly jump: string | null;
  readonly counter: Counter | null;
}

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;
const LIST_TABLE = 1; // NFTA_SET_ELEM_LIST_*
const LIST_SET = 2;
const LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const ELEM_KEY = 1; // NFTA_SET_ELEM_*
const ELEM_DATA = 2;
const ELEM_FLAGS = 3;
const ELEM_TIMEOUT = 4;
const ELEM_EXPR = 7;
const ELEM_KEY_END = 10;
const ELEM_EXPRESSIONS = 11;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;
const NFT_SET_ELEM_INTERVAL_END = 1;
const NFT_JUMP = -3;

// An attribute's length is 16 bits wide, and an element with a long chain's name takes less than 400 bytes.
const MAX_ELEMENTS = 128;
const NLMSGHDR = 16;
const NLATTR = 4;

/** Messages that edit one set, for a batch. All begin alike: whoever edits it often keeps this. */
export class SetEditor {
  readonly #name: string;
  /** What comes before the elements. */
  readonly #head: Uint8Array;

  constructor(set: SetRef) {
    this.#name = set.name;
    this.#head = encode(header(set));
  }

  /** EEXIST when one is there (ENOENT: no such set); the error names the element. */
  add(elements: readonly SetElement[]): readonly NetlinkRequest[] {
    return portions(elements).map((portion) =>
      this.#request('add', NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, portion),
    );
  }

  /** ENOENT when one is not there; the error names the element. */
  del(elements: readonly SetElement[]): readonly NetlinkRequest[] {
    return portions(elements).map((portion) => this.#request('del', NFT_MSG_DELSETELEM, 0, portion));
  }

  #request(
    verb: 'add' | 'del',
    type: number,
    flags: number,
    elements: readonly SetElement[],
  ): NetlinkRequest {
    const words = (what: string): string => `element.${verb} ${this.#name} ${what}`;
    return {
      label: () => words(elements.length === 1 ? (elements[0]?.text ?? '') : `(one of ${elements.length})`),
      type: messageType(type),
      flags,
      body: encode(this.#head, (out) => {
        const list = out.openNested(LIST_ELEMENTS);
        for (const element of elements) putElement(out, element);
        out.close(list);
      }),
      blame: (offset) => {
        const culprit = at(elements, offset - NLMSGHDR - this.#head.length - NLATTR);
        return culprit === null ? null : words(culprit.text);
      },
    };
  }
}

/** As the editor of the set does it. */
export const addElements = (set: SetRef, elements: readonly SetElement[]): readonly NetlinkRequest[] =>
  new SetEditor(set).add(elements);

/** As the editor of the set does it. */
export const delElements = (set: SetRef, elements: readonly SetElement[]): readonly NetlinkRequest[] =>
  new SetEditor(set).del(elements);

/** The elements of a set with their counters; ENOENT. */
export const dumpElements = (set: SetRef): Query<readonly ShownElement[]> => ({
  label: () => `element.dump ${set.name}`,
  type: messageType(NFT_MSG_GETSETELEM),
  flags: 0,
  body: encode(header(set)),
  decode: decodeElements,
});

const header =
  ({ table, name }: SetRef): Part =>
  (out) => {
    putNfgenmsg(out, table.family);
    out.stringAttribute(LIST_TABLE, table.name);
    out.stringAttribute(LIST_SET, name);
  };

/** The one that holds byte `offset` of the list. */
function at(portion: readonly SetElement[], offset: number): SetElement | null {
  if (offset < 0) return null;
  let end = 0;
  const lengthOf = (element: SetElement): number =>
    encode((out) => {
      putElement(out, element);
    }).length;
  return portion.find((element) => offset < (end += lengthOf(element))) ?? null;
}

function portions(elements: readonly SetElement[]): readonly (readonly SetElement[])[] {
  if (elements.length <= MAX_ELEMENTS) return elements.length === 0 ? [] : [elements];
  const count = Math.ceil(elements.length / MAX_ELEMENTS);
  return Array.from({ length: count }, (_, index) =>
    elements.slice(index * MAX_ELEMENTS, (index + 1) * MAX_ELEMENTS),
  );
}

function putElement(out: Writer, { key, keyEnd, intervalEnd, timeoutMs, jump, data }: SetElement): void {
  const element = out.openNested(NFTA_LIST_ELEM);
  putValue(out, ELEM_KEY, key);
  if (keyEnd !== undefined) putValue(out, ELEM_KEY_END, keyEnd);
  if (intervalEnd === true) out.u32beAttribute(ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  if (timeoutMs !== undefined) putTimeout(out, timeoutMs);
  if (jump !== undefined) putJump(out, jump);
  if (data !== undefined) putValue(out, ELEM_DATA, data);
  out.close(element);
}

function putValue(out: Writer, type: number, value: Part): void {
  const data = out.openNested(type);
  const bytes = out.open(NFTA_DATA_VALUE);
  put(out, value);
  out.close(bytes);
  out.close(data);
}

function putTimeout(out: Writer, ms: number): void {
  const at = out.open(ELEM_TIMEOUT);
  out.u64be(BigInt(ms));
  out.close(at);
}

function putJump(out: Writer, chain: string): void {
  const data = out.openNested(ELEM_DATA);
  const verdict = out.openNested(NFTA_DATA_VERDICT);
  out.u32beAttribute(NFTA_VERDICT_CODE, NFT_JUMP);
  out.stringAttribute(NFTA_VERDICT_CHAIN, chain);
  out.close(verdict);
  out.close(data);
}

/** One message holds many. Throws MalformedError. */
function decodeElements({ type, body }: NetlinkMessage): readonly ShownElement[] | null {
  if (type !== messageType(NFT_MSG_NEWSETELEM)) return null;
  if (body.length < NFGENMSG) throw new MalformedError(`set element message of ${body.length} bytes`);
  const elements = new Attributes(body, NFGENMSG).bytes(LIST_ELEMENTS);
  return elements === null ? [] : list(elements).map(decodeElement);
}

function decodeElement(bytes: Uint8Array): ShownElement {
  const attributes = new Attributes(bytes);
  const verdict = attributes.nested(ELEM_DATA)?.nested(NFTA_DATA_VERDICT) ?? null;
  return {
    key: attributes.nested(ELEM_KEY)?.bytes(NFTA_DATA_VALUE) ?? new Uint8Array(0),
    keyEnd: attributes.nested(ELEM_KEY_END)?.bytes(NFTA_DATA_VALUE) ?? null,
    intervalEnd: ((attributes.u32be(ELEM_FLAGS) ?? 0) & NFT_SET_ELEM_INTERVAL_END) !== 0,
    jump: verdict?.string(NFTA_VERDICT_CHAIN) ?? null,
    counter: decodeCounter(expressions(attributes)),
  };
}

/** One expression is shown by itself, several as a list. */
function expressions(attributes: Attributes): readonly Uint8Array[] {
  const one = attributes.bytes(ELEM_EXPR);
  const many = attributes.bytes(ELEM_EXPRESSIONS);
  return one !== null ? [one] : many !== null ? list(many) : [];
}
