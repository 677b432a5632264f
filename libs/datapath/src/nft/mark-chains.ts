import type { Shape, Uplink } from '../desired';
import {
  BYPASS_VPN,
  formatMark,
  NEEDS_SNAT,
  NOWHERE_TAG,
  OTHERS_CONNMARK,
  ROUTE_ON_VPN,
  ROUTING_TAG_MASK,
  routingTag,
  SOURCE_MASK,
  sourceMark,
  TRAFFIC_SOURCES,
  VPN_INTENT_MASK,
} from '../marks';
import { egressChain, pinChain, sourceChain, tagChain } from './chains';
import { at, base, fromUplink, mark, marked, othersAmong, OUR_GROUPS, plain, type Chain } from './rules';
import { SETS } from './sets';

/** UNKNOWN stands for no source, so nothing is written for it. */
const MARKED_SOURCES = TRAFFIC_SOURCES.filter((source) => source !== 'UNKNOWN');

/** Whose packet it is. */
export const sourceChains = (): readonly Chain[] =>
  MARKED_SOURCES.map((source) => plain(sourceChain(source), [mark(SOURCE_MASK, sourceMark(source))]));

const NEEDS_NAT = `meta nfproto ipv4 ${mark(NEEDS_SNAT, NEEDS_SNAT)}`;
const toTag = (tag: number): string => mark(ROUTING_TAG_MASK, tag);

/** Nobody has marked the packet, so that its whole mark may be written. */
const UNMARKED = `meta mark ${formatMark(0)}`;
/** Its destination is the one that the guest gave. */
const NOT_LED = 'ct status & dnat == 0';

/**
 * A short cut to where the long way leads as well. Since a packet of the connection has left by an uplink, its mark has the source: then
 * the packet's mark is one write, of the connection's bits in `kept` and of `bits`, without a look-up.
 */
const asBefore = (conditions: readonly string[], kept: number, bits: number): string =>
  [
    ...conditions,
    `ct mark & ${formatMark(SOURCE_MASK)} != ${formatMark(0)}`,
    `meta mark set ct mark & ${formatMark(kept)} | ${formatMark(bits)} accept`,
  ].join(' ');

/** Ahead in an egress chain. */
const eitherAsBefore = (conditions: readonly string[], kept: number, bits: number): readonly string[] => [
  asBefore([...conditions, 'meta nfproto ipv4'], kept, bits | NEEDS_SNAT),
  asBefore(conditions, kept, bits),
];

const TAG_AND_SOURCE = (ROUTING_TAG_MASK | SOURCE_MASK) >>> 0;

/** IPv4 of a guest whose traffic is the user's. */
const AS_USER = { mask: VPN_INTENT_MASK | NEEDS_SNAT, bits: ROUTE_ON_VPN | NEEDS_SNAT } as const;

/** Written where `guard` has looked the guest up, so that `classify` need not do it again. */
export const MARK_AS_USER = mark(AS_USER.mask, AS_USER.bits);

/** In `classify`, the short cut of the user's egress chain. */
const userAsBefore = ({ vpn, uplinks }: EgressShape): string =>
  asBefore(
    [marked(AS_USER.mask, AS_USER.bits), `meta iifgroup ${OUR_GROUPS}`, NOT_LED, ...onlyOn(vpn, uplinks)],
    TAG_AND_SOURCE,
    AS_USER.bits,
  );

type EgressShape = Pick<Shape, 'vpn' | 'uplinks' | 'guestPrefixes'>;

/**
 * Which way it shall leave, where that does not depend on an uplink. While a VPN is up, all that is the user's goes into it, also a
 * connection that began outside (its address is changed anew); only answers go back the way that the question came.
 */
export function egressChains({ vpn, uplinks, guestPrefixes }: EgressShape): readonly Chain[] {
  // An invalid packet has no connection: this rule does nothing to it, and `forward` drops it by the bit that the next one sets.
  const asConnection = `meta mark set ct mark & ${formatMark(ROUTING_TAG_MASK)}`;
  const notToHost = `ip daddr ${at(SETS.guestGateways)} return`;
  const asUser = mark(VPN_INTENT_MASK, ROUTE_ON_VPN);
  const pastVpn = mark(VPN_INTENT_MASK, BYPASS_VPN);
  return [
    plain(egressChain({ kind: 'default' }), [
      ...eitherAsBefore([], TAG_AND_SOURCE, BYPASS_VPN),
      asConnection,
      NEEDS_NAT,
      pastVpn,
    ]),
    plain(egressChain({ kind: 'user' }), [
      asBefore(['meta nfproto ipv6', NOT_LED, ...onlyOn(vpn, uplinks)], TAG_AND_SOURCE, ROUTE_ON_VPN), // IPv4: in `classify`
      asConnection,
      NEEDS_NAT,
      notToHost,
      asUser,
      ...(vpn === undefined ? [] : intoVpn(vpn, guestPrefixes)),
    ]),
    plain(egressChain({ kind: 'nowhere' }), [toTag(NOWHERE_TAG), NEEDS_NAT]),
  ];
}

/** A connection that is not on the VPN yet shall come there. */
const onlyOn = (vpn: string | undefined, uplinks: readonly Uplink[]): readonly string[] =>
  uplinks
    .filter(({ ifname }) => ifname === vpn)
    .map(({ ifindex }) => `ct mark & ${formatMark(ROUTING_TAG_MASK)} == ${formatMark(routingTag(ifindex))}`);

const intoVpn = (vpn: string, guestPrefixes: readonly string[]): readonly string[] => [
  'ct direction reply return',
  ...(guestPrefixes.length === 0 ? [] : [`ip daddr { ${guestPrefixes.join(', ')} } return`]),
  `jump ${tagChain(vpn)}`,
];

/** Marks for an uplink, and remembers it. */
export function uplinkMarkChains(uplink: Uplink): readonly Chain[] {
  const { ifname, ifindex } = uplink;
  const tag = routingTag(ifindex);
  return [
    plain(egressChain({ kind: 'uplink', ifname }), [
      ...eitherAsBefore([UNMARKED], SOURCE_MASK, tag),
      toTag(tag),
      NEEDS_NAT,
    ]),
    plain(pinChain(ifname), [pinRule(uplink)]),
  ];
}

/**
 * Writes the uplink and the packet's source into the connection's mark: one register and one constant, its other bits become zero. Others
 * know their connections by the whole mark (NordVPN lets in what has its own), so one that they have marked stays as it is.
 */
export const pinRule = ({ ifindex }: Uplink): string =>
  `ct mark & ${formatMark(OTHERS_CONNMARK)} == ${formatMark(0)} ct mark set meta mark & ${formatMark(SOURCE_MASK)} | ${formatMark(routingTag(ifindex))}`;

/** Egress first: it may take the whole mark from the connection. What comes from outside counts for whom it answers. */
export function classifyChains(shape: EgressShape): readonly Chain[] {
  const sources = MARKED_SOURCES.map(
    (source) => `${formatMark(sourceMark(source))} : jump ${sourceChain(source)}`,
  );
  const source = `ct mark & ${formatMark(SOURCE_MASK)}`;
  return [
    plain('from_outside', [
      `ct state new iifname vmap ${at(SETS.uplinkPin)}`, // so that its answers leave by it
      `${UNMARKED} meta mark set ${source} accept`,
      `${source} vmap { ${sources.join(', ')} }`, // other bits are somebody else's
    ]),
    base(
      'classify',
      ['filter', 'prerouting', 'mangle'],
      [
        ...othersAmong(shape.uplinks).flatMap((uplink) => [
          `${fromUplink(uplink)} ct direction reply ${UNMARKED} meta mark set ${source} accept`, // most of what comes in
          `${fromUplink(uplink)} goto from_outside`,
        ]),
        userAsBefore(shape),
        `iifname vmap ${at(SETS.guestEgress)}`,
        `iifname vmap ${at(SETS.guestSource)}`,
        `iifname ${at(SETS.uplinks)} goto from_outside`,
      ],
    ),
  ];
}
