import { attribute, encode, nested, stringAttribute, u32be, u32host } from '../codec/parts';
import { NLM_F_APPEND, NLM_F_CREATE } from '../codec/message';

import type { NetlinkRequest } from '../request';
import type { SetRef } from './elements';
import type { Expression } from './expressions';
import { messageType, nfgenmsg } from './nfnetlink';
import type { TableRef } from './nfnetlink';
import type { ChainRef } from './tables';

// Requests for `batch`, for services that bring a few rules of their own and have no nft(8) beside them.

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_DELRULE = 8;
const NFT_MSG_NEWSET = 9;
const NFT_MSG_DELSETELEM = 14;
const NFT_TYPE_IFNAME = 41; // as nft(8) numbers key types; the kernel only keeps it
const IFNAMSIZ = 16;
/** For nft(8) to show names as names: NFTNL_UDATA_SET_KEYBYTEORDER, 4 bytes, host order. */
const KEY_BYTE_ORDER = encode(Uint8Array.of(0, 4), u32host(1));

/** Nothing happens when it is there. */
export const declareTable = (table: TableRef): NetlinkRequest => ({
  label: () => `table.add ${table.family} ${table.name}`,
  type: messageType(NFT_MSG_NEWTABLE),
  flags: NLM_F_CREATE,
  body: encode(nfgenmsg(table.family), stringAttribute(1, table.name)),
});

/** A filter chain in prerouting (NF_INET_PRE_ROUTING is 0) that accepts by default. Nothing happens when it is there. */
export const declarePreroutingChain = ({ table, name }: ChainRef, priority: number): NetlinkRequest => ({
  label: () => `chain.add ${table.name} ${name}`,
  type: messageType(NFT_MSG_NEWCHAIN),
  flags: NLM_F_CREATE,
  body: encode(
    nfgenmsg(table.family),
    stringAttribute(1, table.name),
    stringAttribute(3, name),
    nested(4, attribute(1, u32be(0)), attribute(2, u32be(priority >>> 0))),
    stringAttribute(7, 'filter'),
  ),
});

/** Deletes all rules of a chain. */
export const flushChain = ({ table, name }: ChainRef): NetlinkRequest => ({
  label: () => `chain.flush ${table.name} ${name}`,
  type: messageType(NFT_MSG_DELRULE),
  flags: 0,
  body: encode(nfgenmsg(table.family), stringAttribute(1, table.name), stringAttribute(2, name)),
});

export const appendRule = (
  { table, name }: ChainRef,
  expressions: readonly Expression[],
): NetlinkRequest => ({
  label: () => `rule.add ${table.name} ${name}`,
  type: messageType(NFT_MSG_NEWRULE),
  flags: NLM_F_CREATE | NLM_F_APPEND,
  body: encode(
    nfgenmsg(table.family),
    stringAttribute(1, table.name),
    stringAttribute(2, name),
    nested(4, ...expressions),
  ),
});

/** A set of interface names. `id`: a number of its own within the batch. Nothing happens when it is there. */
export const declareIfnameSet = ({ table, name }: SetRef, id: number): NetlinkRequest => ({
  label: () => `set.add ${table.name} ${name}`,
  type: messageType(NFT_MSG_NEWSET),
  flags: NLM_F_CREATE,
  body: encode(
    nfgenmsg(table.family),
    stringAttribute(1, table.name),
    stringAttribute(2, name),
    attribute(3, u32be(0)),
    attribute(4, u32be(NFT_TYPE_IFNAME)),
    attribute(5, u32be(IFNAMSIZ)),
    attribute(10, u32be(id)),
    attribute(13, KEY_BYTE_ORDER),
  ),
});

/** Deletes all elements of a set. */
export const flushSet = ({ table, name }: SetRef): NetlinkRequest => ({
  label: () => `set.flush ${table.name} ${name}`,
  type: messageType(NFT_MSG_DELSETELEM),
  flags: 0,
  body: encode(nfgenmsg(table.family), stringAttribute(1, table.name), stringAttribute(2, name)),
});
