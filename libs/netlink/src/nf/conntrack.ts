import { all, attribute, encode, optional, u16be, u32be, u8 } from '../codec/parts';
import type { Part } from '../codec/parts';
import { Attributes } from '../codec/attributes';
import { decodeIp, familyNumber } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import type { NetlinkRequest, Query } from '../request';
import { NFGENMSG } from './nfnetlink';

// linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_MARK = 8;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_MARK_MASK = 21;
const CTA_TUPLE_IP = 1;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;

/** A tracked connection, as far as needed to find out whether it can live on. */
export interface Connection {
  /** Who began it. */
  readonly source: string;
  /** Where answers go: the host's own address, after source NAT. */
  readonly replyTo: string;
  /** What names it in a request to delete it. */
  readonly identity: ConnectionIdentity;
}

interface ConnectionIdentity {
  readonly family: number;
  /** As received. */
  readonly tuple: Uint8Array;
  readonly id: number | null;
  readonly zone: number | null;
}

/** Bits of the connection mark, and whose connections; null: of both families. */
export interface ConnectionFilter {
  readonly mark: number;
  readonly mask: number;
  readonly family: 'ipv4' | 'ipv6' | null;
}

/** Those with these bits in their mark; the kernel sorts them out. */
export const dumpConnections = (filter: ConnectionFilter): Query<Connection> => ({
  label: () => `conntrack.dump ${words(filter)}`,
  type: messageType(IPCTNL_MSG_CT_GET),
  flags: 0,
  body: filterBody(filter),
  decode: decodeConnection,
});

/** Forgets all with these bits; ENOENT never: none is as good as some. */
export const flushConnections = (filter: ConnectionFilter): NetlinkRequest => ({
  label: () => `conntrack.flush ${words(filter)}`,
  type: messageType(IPCTNL_MSG_CT_DELETE),
  flags: 0,
  body: filterBody(filter),
});

/** ENOENT when it has ended. */
export const delConnection = ({ source, replyTo, identity }: Connection): NetlinkRequest => ({
  label: () => `conntrack.del ${source}, answered to ${replyTo}`,
  type: messageType(IPCTNL_MSG_CT_DELETE),
  flags: 0,
  body: encode(
    header(identity.family, 0),
    attribute(CTA_TUPLE_ORIG | NESTED, identity.tuple),
    optional(identity.id, (id) => attribute(CTA_ID, u32be(id))),
    optional(identity.zone, (zone) => attribute(CTA_ZONE, u16be(zone))),
  ),
});

const NESTED = 0x8000;

const messageType = (type: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | type;

/** struct nfgenmsg. A request to delete looks at the family only if the version is not 0 (ctnetlink_del_conntrack). */
const header = (family: number, version: number): Part => all(u8(family, version), u16be(0));

const filterBody = ({ mark, mask, family }: ConnectionFilter): Uint8Array =>
  encode(
    header(family === null ? 0 : familyNumber(family), family === null ? 0 : 1),
    attribute(CTA_MARK, u32be(mark >>> 0)),
    attribute(CTA_MARK_MASK, u32be(mask >>> 0)),
  );

/** null: not a connection. Throws MalformedError. */
export function decodeConnection({ type, body }: NetlinkMessage): Connection | null {
  if (type !== messageType(IPCTNL_MSG_CT_NEW)) return null;
  if (body.length < NFGENMSG) throw new MalformedError(`conntrack message of ${body.length} bytes`);
  const attributes = new Attributes(body, NFGENMSG);
  const tuple = attributes.bytes(CTA_TUPLE_ORIG);
  const [source, replyTo] = [
    addressIn(attributes, CTA_TUPLE_ORIG, CTA_IP_V4_SRC, CTA_IP_V6_SRC),
    addressIn(attributes, CTA_TUPLE_REPLY, CTA_IP_V4_DST, CTA_IP_V6_DST),
  ];
  if (tuple === null || source === null || replyTo === null) return null;
  const zone = attributes.bytes(CTA_ZONE);
  return {
    source,
    replyTo,
    identity: {
      family: body[0] ?? 0,
      tuple: tuple.slice(),
      id: attributes.u32be(CTA_ID),
      zone: zone === null ? null : ((zone[0] ?? 0) << 8) | (zone[1] ?? 0),
    },
  };
}

function addressIn(attributes: Attributes, tuple: number, v4: number, v6: number): string | null {
  const ip = attributes.nested(tuple)?.nested(CTA_TUPLE_IP);
  const bytes = ip?.bytes(v4) ?? ip?.bytes(v6) ?? null;
  return bytes === null ? null : decodeIp(bytes);
}

const words = ({ mark, mask, family }: ConnectionFilter): string =>
  `mark 0x${(mark >>> 0).toString(16)}/0x${(mask >>> 0).toString(16)}${family === null ? '' : ` ${family}`}`;
