import { Attributes } from '../codec/attributes';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { readU8 } from '../codec/numbers';
import { encode, stringAttribute } from '../codec/parts';
import type { Query } from '../request';
import { familyOf, messageType, NFGENMSG, nfgenmsg } from './nfnetlink';
import type { TableRef } from './nfnetlink';
import { sameTable } from './tables';

/** A rule, as far as a look at whether it is still there needs it. */
export interface ShownRule {
  readonly chain: string;
}

// linux/netfilter/nf_tables.h
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_DELCHAIN = 5;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_GETRULE = 7;
const NFT_MSG_DELRULE = 8;
const NFT_MSG_NEWSET = 9;
const NFT_MSG_GETSET = 10;
const NFT_MSG_DELSET = 11;
const NFT_MSG_DELSETELEM = 14;
/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE and NFTA_SET_ELEM_LIST_TABLE are all this. */
const TABLE_NAME = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_SET_NAME = 2;

const DELETIONS: ReadonlySet<number> = new Set(
  [NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_DELSET, NFT_MSG_DELSETELEM].map(messageType),
);

/** Rules of one table; none where there is no such table. */
export const dumpNftRules = (table: TableRef): Query<ShownRule> => ({
  label: () => `rule.dump ${table.name}`,
  type: messageType(NFT_MSG_GETRULE),
  flags: 0,
  body: encode(nfgenmsg(table.family), stringAttribute(TABLE_NAME, table.name)),
  decode: (message) => {
    const chain = nameIn(message, NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, table);
    return chain === null ? null : { chain };
  },
});

/** Names of the sets and maps of one table. ENOENT where there is no such table. */
export const dumpSetNames = (table: TableRef): Query<string> => ({
  label: () => `set.dump ${table.name}`,
  type: messageType(NFT_MSG_GETSET),
  flags: 0,
  body: encode(nfgenmsg(table.family), stringAttribute(TABLE_NAME, table.name)),
  decode: (message) => nameIn(message, NFT_MSG_NEWSET, NFTA_SET_NAME, table),
});

/** The table that something was deleted from, or that was deleted itself; null: the message is about something else. Throws MalformedError. */
export function decodeDeletion({ type, body }: NetlinkMessage): TableRef | null {
  return DELETIONS.has(type) ? tableOf(body) : null;
}

function nameIn(
  { type, body }: NetlinkMessage,
  want: number,
  attribute: number,
  table: TableRef,
): string | null {
  if (type !== messageType(want)) return null;
  const owner = tableOf(body);
  if (owner === null || !sameTable(owner, table)) return null;
  return new Attributes(body, NFGENMSG).string(attribute);
}

function tableOf(body: Uint8Array): TableRef | null {
  if (body.length < NFGENMSG) throw new MalformedError(`nftables message of ${body.length} bytes`);
  const family = familyOf(readU8(body, 0));
  const name = new Attributes(body, NFGENMSG).string(TABLE_NAME);
  return family === null || name === null ? null : { family, name };
}
