import { bpf } from '@pp/wire';
import { Attributes } from '../codec/attributes';
import type { ReceivedMessage } from '../codec/message';
import { encode, stringAttribute } from '../codec/parts';
import { loaded32 } from '../rt/own-links-filter';
import { messageType, NFGENMSG, nfgenmsg, type TableRef } from './nfnetlink';

// linux/netfilter/nf_tables.h, enum nf_tables_msg_types
const DELTABLE = 2;
const DESTROYTABLE = 26;
const NEWGEN = 15;
/** What may bring something that is none of ours: NEWTABLE (another flag), NEWCHAIN, NEWSET, NEWOBJ, NEWFLOWTABLE. */
const ADDING: ReadonlySet<number> = new Set([0, 3, 9, 18, 22]);
/** NEWRULE, NEWSETELEM, and all that goes by its DEL or its DESTROY. */
const CHANGING: ReadonlySet<number> = new Set([6, 12, 5, 8, 11, 14, 20, 24, 27, 28, 29, 30, 31, 32]);
// NFTA_TABLE_NAME, and what names the table of a chain, a rule, a set, elements, an object, a flow table
const TABLE_NAME = 1;
// NFTA_GEN_*
const GEN_PROC_PID = 2;
const GEN_PROC_NAME = 3;

/** What somebody did to a table, and, when all of one transaction was told, who it was. */
export type NftEvent =
  | { readonly on: 'edit'; readonly what: 'gone' | 'added' | 'changed' }
  /** `portId`: netlink port of the socket that it came by. `pid` of the machine's own numbers, whatever namespace we are in. */
  | { readonly on: 'commit'; readonly portId: number; readonly process: string; readonly pid: number };

/** Of the group of nftables, what concerns `table`, and every commit; all else is null. Throws MalformedError. */
export function nftEventOf(table: TableRef): (message: ReceivedMessage) => NftEvent | null {
  const isOfTable = aboutTable(table);
  return (message) => {
    const type = message.type - messageType(0);
    if (type === NEWGEN) return commitOf(message);
    const what = editOf(type);
    return what === null || !isOfTable(message.body) ? null : { on: 'edit', what };
  };
}

/** Whoever writes tables of their own is told of all of it, so a look must be cheap. The kernel names the table first, in all of these. */
function aboutTable({ family, name }: TableRef): (body: Uint8Array) => boolean {
  const named = encode(stringAttribute(TABLE_NAME, name));
  const [first = 0] = encode(nfgenmsg(family));
  return (body) => body[0] === first && named.every((byte, i) => body[NFGENMSG + i] === byte);
}

function editOf(type: number): Extract<NftEvent, { on: 'edit' }>['what'] | null {
  if (type === DELTABLE || type === DESTROYTABLE) return 'gone';
  if (ADDING.has(type)) return 'added';
  return CHANGING.has(type) ? 'changed' : null;
}

function commitOf({ portId, body }: ReceivedMessage): NftEvent {
  const attributes = new Attributes(body, Math.min(NFGENMSG, body.length));
  return {
    on: 'commit',
    portId,
    process: attributes.string(GEN_PROC_NAME) ?? '',
    pid: attributes.u32be(GEN_PROC_PID) ?? 0,
  };
}

const NLMSG_PID = 12; // struct nlmsghdr

/** Lets a socket hear nothing of what came by this port: all messages of one datagram are of one transaction. */
export const notByPort = (portId: number): readonly bpf.BpfInstruction[] =>
  bpf.assembleBpf([
    bpf.load('ldW', NLMSG_PID),
    bpf.jump('jeq', loaded32(portId), { then: 'drop' }),
    bpf.accept(0x7fffffff),
    bpf.label('drop'),
    bpf.accept(0),
  ]);
