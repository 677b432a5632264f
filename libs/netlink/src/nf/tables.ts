import { encode, stringAttribute } from '../codec/parts';
import { Attributes } from '../codec/attributes';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { readU8 } from '../codec/numbers';
import type { NetlinkRequest, Query } from '../request';
import { familyOf, messageType, NFGENMSG, nfgenmsg } from './nfnetlink';
import type { TableRef } from './nfnetlink';

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_GETCHAIN = 4;
const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;

/** Multicast group of all that changes in nftables. */
export const NFNLGRP_NFTABLES = 7;

/** A chain and the table it is in. */
export interface ChainRef {
  readonly table: TableRef;
  readonly name: string;
}

/** Tables of the families inet, ip and ip6. */
export const dumpTables = (): Query<TableRef> => ({
  label: () => 'table.dump',
  type: messageType(NFT_MSG_GETTABLE),
  flags: 0,
  body: new Uint8Array(NFGENMSG), // NFPROTO_UNSPEC: all families
  decode: decodeTable,
});

/** ENOENT when there is none. */
export const getTable = (table: TableRef): Query<TableRef> => ({
  label: () => `table.get ${table.family} ${table.name}`,
  type: messageType(NFT_MSG_GETTABLE),
  flags: 0,
  body: encode(nfgenmsg(table.family), stringAttribute(NFTA_TABLE_NAME, table.name)),
  decode: decodeTable,
});

/** For a batch. With all that is in it. ENOENT when there is none. */
export const delTable = (table: TableRef): NetlinkRequest => ({
  label: () => `table.del ${table.family} ${table.name}`,
  type: messageType(NFT_MSG_DELTABLE),
  flags: 0,
  body: encode(nfgenmsg(table.family), stringAttribute(NFTA_TABLE_NAME, table.name)),
});

/** Chains of one table. ENOENT is not known here: a table that is not there has no chains. */
export const dumpChains = (table: TableRef): Query<ChainRef> => ({
  label: () => `chain.dump ${table.family} ${table.name}`,
  type: messageType(NFT_MSG_GETCHAIN),
  flags: 0,
  body: encode(nfgenmsg(table.family)), // the kernel shows those of all tables of the family
  decode: (message) => {
    const chain = decodeChain(message);
    return chain !== null && sameTable(chain.table, table) ? chain : null;
  },
});

export const sameTable = (a: TableRef, b: TableRef): boolean => a.family === b.family && a.name === b.name;

function decodeTable(message: NetlinkMessage): TableRef | null {
  if (message.type !== messageType(NFT_MSG_NEWTABLE)) return null;
  return named(message, NFTA_TABLE_NAME);
}

function decodeChain(message: NetlinkMessage): ChainRef | null {
  if (message.type !== messageType(NFT_MSG_NEWCHAIN)) return null;
  const table = named(message, NFTA_CHAIN_TABLE);
  const name = new Attributes(message.body, NFGENMSG).string(NFTA_CHAIN_NAME);
  return table === null || name === null ? null : { table, name };
}

/** The table that attribute `type` names. */
function named({ body }: NetlinkMessage, type: number): TableRef | null {
  if (body.length < NFGENMSG) throw new MalformedError(`nftables message of ${body.length} bytes`);
  const family = familyOf(readU8(body, 0));
  const name = new Attributes(body, NFGENMSG).string(type);
  return family === null || name === null ? null : { family, name };
}
