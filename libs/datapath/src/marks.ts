/** The layout of the packet mark (and, but for the policy byte's intent and the NAT bit, of the connection mark), and who uses which bits. */
export interface MarkField {
  readonly name: string;
  readonly mask: number;
  readonly owner: string;
  readonly reason: string;
}

export const ROUTING_TAG_MASK = 0xffff0000;
export const VPN_INTENT_MASK = 0x0000c000;
export const ROUTE_ON_VPN = 0x00008000;
export const BYPASS_VPN = 0x00004000;
export const SOURCE_MASK = 0x00003f00;
export const NEEDS_SNAT = 0x00000001;

/** All 32 bits, highest first. Every write of ours is `mark & ~mask | constant`, so nobody's other bits change. */
export const MARK_LAYOUT: readonly MarkField[] = [
  {
    name: 'routing tag',
    mask: ROUTING_TAG_MASK,
    owner: 'egress chains; ip rules of the uplinks',
    reason:
      'chooses the routing table 1000 + ifindex of one uplink; kept in the connection mark, so that a connection stays on its uplink',
  },
  {
    name: 'VPN intent',
    mask: VPN_INTENT_MASK,
    owner: 'egress_user; SetVpnIntent',
    reason:
      '0x8000 wants the VPN, 0x4000 wants past it, 0 has no wish; lockdown rejects 0x8000 while no VPN is up',
  },
  {
    name: 'traffic source',
    mask: SOURCE_MASK,
    owner: 'source chains; counters',
    reason: 'who caused the packet; kept in the connection mark, so that answers count for the same source',
  },
  {
    name: 'unused',
    mask: 0x000000fe,
    owner: 'nobody',
    reason: 'left alone: other programs may use them',
  },
  {
    name: 'needs SNAT',
    mask: NEEDS_SNAT,
    owner: 'egress chains; srcnat',
    reason:
      'IPv4 from a guest, whose address means nothing outside: masqueraded, or dropped where that is impossible',
  },
];

/** Of the connection mark: bits that we never write, so that where one is set the mark is somebody else's. */
export const OTHERS_CONNMARK = 0x0000c0ff;

/** All bits that we read or write. */
export const MARK_BITS = (ROUTING_TAG_MASK | VPN_INTENT_MASK | SOURCE_MASK | NEEDS_SNAT) >>> 0;

/** Who causes traffic. `value` is the 6-bit field of the mark, `proto` the number in TrafficCounter.Source of the D-Bus API. */
const SOURCES = {
  UNKNOWN: { value: 0x00, proto: 0 },
  CHROME: { value: 0x01, proto: 1 },
  USER: { value: 0x02, proto: 2 },
  UPDATE_ENGINE: { value: 0x03, proto: 6 },
  SYSTEM: { value: 0x04, proto: 8 },
  HOST_VPN: { value: 0x05, proto: 7 },
  ARC: { value: 0x20, proto: 3 },
  CROSVM: { value: 0x21, proto: 4 },
  PLUGINVM: { value: 0x22, proto: 5 },
  TETHER_DOWNSTREAM: { value: 0x23, proto: 8 },
  ARC_VPN: { value: 0x24, proto: 7 },
} as const;

export type TrafficSource = keyof typeof SOURCES;

/** In order of their value. */
export const TRAFFIC_SOURCES = Object.keys(SOURCES) as readonly TrafficSource[];

/** The source's bits of a mark, to be written under SOURCE_MASK. */
export const sourceMark = (source: TrafficSource): number => SOURCES[source].value << 8;

/** The source that a mark names; bits of no known source are UNKNOWN. */
export const sourceOfMark = (mark: number): TrafficSource =>
  TRAFFIC_SOURCES.find((source) => sourceMark(source) === (mark & SOURCE_MASK)) ?? 'UNKNOWN';

/** TrafficCounter.Source under which the source is counted. */
export const sourceToProto = (source: TrafficSource): number => SOURCES[source].proto;

/** The source that a client names by TrafficCounter.Source: VPN is the host's. null: no such number. */
export const sourceFromProto = (proto: number): TrafficSource | null =>
  TRAFFIC_SOURCES.find((source) => SOURCES[source].proto === proto) ?? null;

const TABLE_BASE = 1000;

/** Routing table of the interface, and the upper half of the marks that lead there. */
export const routingTable = (ifindex: number): number => TABLE_BASE + ifindex;

/** The tag has 16 bits, so there is none above 64535. */
export const hasRoutingTag = (ifindex: number): boolean => ifindex >= 0 && routingTable(ifindex) <= 0xffff;

/** Bits under ROUTING_TAG_MASK; RangeError where `hasRoutingTag` is false. */
export function routingTag(ifindex: number): number {
  if (!hasRoutingTag(ifindex)) throw new RangeError(`interface index ${ifindex} has no routing tag`);
  return routingTable(ifindex) * 0x10000;
}

/** The tag of no interface: what must leave by an uplink that is not there goes nowhere. */
export const NOWHERE_TAG = routingTag(0);

/** "0x03ea0000". */
export const formatMark = (mark: number): string => `0x${(mark >>> 0).toString(16).padStart(8, '0')}`;

/** All bits but those of `mask`, as an unsigned number. */
export const allBut = (mask: number): number => ~mask >>> 0;
