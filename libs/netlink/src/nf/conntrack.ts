import { all, attribute, encode, nested, optional, u16be, u32be, u32host, u8 } from '../codec/parts';
import type { Part } from '../codec/parts';
import { Attributes } from '../codec/attributes';
import { decodeIp, encodeIp, familyNumber } from '../codec/ip';
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
const CTA_FILTER = 25;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const CTA_TUPLE_IP = 1;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_TUPLE_PROTO = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;

// net/netfilter/nf_conntrack_netlink.c: what of a tuple is compared
const BY_SOURCE = 1 << 0;
const BY_DESTINATION = 1 << 1;
const BY_PROTOCOL_AND_PORT = (1 << 3) | (1 << 5);

// linux/in.h
const IPPROTO_UDP = 17;

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

/** Of a connection over IPv4: all that is said here holds. */
export interface ConnectionEnds {
  /** Who began it. */
  readonly source?: string;
  /** Whom it was for, before destination NAT. */
  readonly destination?: string;
  /** It is of UDP, and was for this port. */
  readonly udpPort?: number;
  /** Who answers, after destination NAT. */
  readonly answerer?: string;
}

/** Forgets all that end so, which the kernel sorts out; of IPv6 it would take all others (6.18). EINVAL before Linux 6.12; else nothing is said. */
export const flushConnectionsOf = (ends: ConnectionEnds): NetlinkRequest => ({
  label: () => `conntrack.flush ${JSON.stringify(ends)}`,
  type: messageType(IPCTNL_MSG_CT_DELETE),
  flags: 0,
  silent: true,
  body: endsBody(ends),
});

function endsBody({ source, destination, udpPort, answerer }: ConnectionEnds): Uint8Array {
  const address = (type: number) => (text: string) => attribute(type, encodeIp(text));
  const compared =
    (source === undefined ? 0 : BY_SOURCE) |
    (destination === undefined ? 0 : BY_DESTINATION) |
    (udpPort === undefined ? 0 : BY_PROTOCOL_AND_PORT);
  return encode(
    header(familyNumber('ipv4'), 0),
    nested(
      CTA_TUPLE_ORIG,
      nested(
        CTA_TUPLE_IP,
        optional(source, address(CTA_IP_V4_SRC)),
        optional(destination, address(CTA_IP_V4_DST)),
      ),
      optional(udpPort, (port) =>
        nested(
          CTA_TUPLE_PROTO,
          attribute(CTA_PROTO_NUM, u8(IPPROTO_UDP)),
          attribute(CTA_PROTO_DST_PORT, u16be(port)),
        ),
      ),
    ),
    nested(CTA_TUPLE_REPLY, nested(CTA_TUPLE_IP, optional(answerer, address(CTA_IP_V4_SRC)))),
    nested(
      CTA_FILTER,
      attribute(CTA_FILTER_ORIG_FLAGS, u32host(compared)),
      attribute(CTA_FILTER_REPLY_FLAGS, u32host(answerer === undefined ? 0 : BY_SOURCE)),
    ),
  );
}

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
