import { Attributes } from '../codec/attributes';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { attribute, encode, stringAttribute, u32be } from '../codec/parts';
import type { Query } from '../request';
import { messageType, NFGENMSG, nfgenmsg } from './nfnetlink';
import type { TableRef } from './nfnetlink';

/** Both grow for ever, and may pass 2^53. */
export interface Counter {
  readonly bytes: bigint;
  readonly packets: bigint;
}

/** A counter object of a table. */
export interface NamedCounter extends Counter {
  readonly name: string;
}

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWOBJ = 18;
const NFT_MSG_GETOBJ = 19;
const NFTA_OBJ_TABLE = 1;
const NFTA_OBJ_NAME = 2;
const NFTA_OBJ_TYPE = 3;
const NFTA_OBJ_DATA = 4;
const NFT_OBJECT_COUNTER = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_COUNTER_BYTES = 1;
const NFTA_COUNTER_PACKETS = 2;

/** All counter objects of a table. */
export const dumpCounters = (table: TableRef): Query<NamedCounter> => ({
  label: () => `counter.dump ${table.name}`,
  type: messageType(NFT_MSG_GETOBJ),
  flags: 0,
  body: encode(
    nfgenmsg(table.family),
    stringAttribute(NFTA_OBJ_TABLE, table.name),
    attribute(NFTA_OBJ_TYPE, u32be(NFT_OBJECT_COUNTER)),
  ),
  decode: decodeNamedCounter,
});

function decodeNamedCounter({ type, body }: NetlinkMessage): NamedCounter | null {
  if (type !== messageType(NFT_MSG_NEWOBJ)) return null;
  if (body.length < NFGENMSG) throw new MalformedError(`object message of ${body.length} bytes`);
  const attributes = new Attributes(body, NFGENMSG);
  const name = attributes.string(NFTA_OBJ_NAME);
  const data = attributes.nested(NFTA_OBJ_DATA);
  if (name === null || data === null || attributes.u32be(NFTA_OBJ_TYPE) !== NFT_OBJECT_COUNTER) return null;
  return { name, ...counter(data) };
}

/** The counter among an element's expressions, or null. */
export function decodeCounter(expressions: readonly Uint8Array[]): Counter | null {
  for (const bytes of expressions) {
    const expression = new Attributes(bytes);
    const data = expression.nested(NFTA_EXPR_DATA);
    if (expression.string(NFTA_EXPR_NAME) === 'counter' && data !== null) return counter(data);
  }
  return null;
}

const counter = (data: Attributes): Counter => ({
  bytes: data.u64be(NFTA_COUNTER_BYTES) ?? 0n,
  packets: data.u64be(NFTA_COUNTER_PACKETS) ?? 0n,
});
