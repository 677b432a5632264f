import type { Shape, Uplink } from '../desired';
import {
  BYPASS_VPN,
  formatMark,
  NEEDS_SNAT,
  NOWHERE_TAG,
  ROUTE_ON_VPN,
  ROUTING_TAG_MASK,
  routingTag,
  SOURCE_MASK,
  sourceMark,
  TRAFFIC_SOURCES,
  VPN_INTENT_MASK,
} from '../marks';
import { egressChain, pinChain, sourceChain, tagChain } from './chains';
import { at, base, mark, plain, type Chain } from './rules';
import { SETS } from './sets';

/** UNKNOWN stands for no source, so nothing is written for it. */
const MARKED_SOURCES = TRAFFIC_SOURCES.filter((source) => source !== 'UNKNOWN');

/** Whose packet it is. */
export const sourceChains = (): readonly Chain[] =>
  MARKED_SOURCES.map((source) => plain(sourceChain(source), [mark(SOURCE_MASK, sourceMark(source))]));

const NEEDS_NAT = `meta nfproto ipv4 ${mark(NEEDS_SNAT, NEEDS_SNAT)}`;
const toTag = (tag: number): string => mark(ROUTING_TAG_MASK, tag);

/**
 * Which way it shall leave, where that does not depend on an uplink. While a VPN is up, all that is the user's goes into it, also a
 * connection that began outside (its address is changed anew); only answers go back the way that the question came.
 */
export function egressChains({ vpn, guestPrefixes }: Pick<Shape, 'vpn' | 'guestPrefixes'>): readonly Chain[] {
  // An invalid packet has no connection: this rule does nothing to it, and `forward` drops it by the bit that the next one sets.
  const asConnection = `meta mark set ct mark & ${formatMark(ROUTING_TAG_MASK)}`;
  const notToHost = `ip daddr ${at(SETS.guestGateways)} return`;
  const asUser = mark(VPN_INTENT_MASK, ROUTE_ON_VPN);
  const pastVpn = mark(VPN_INTENT_MASK, BYPASS_VPN);
  return [
    plain(egressChain({ kind: 'default' }), [asConnection, NEEDS_NAT, pastVpn]),
    plain(egressChain({ kind: 'user' }), [
      asConnection,
      NEEDS_NAT,
      notToHost,
      asUser,
      ...(vpn === undefined ? [] : intoVpn(vpn, guestPrefixes)),
    ]),
    plain(egressChain({ kind: 'nowhere' }), [toTag(NOWHERE_TAG), NEEDS_NAT]),
  ];
}

const intoVpn = (vpn: string, guestPrefixes: readonly string[]): readonly string[] => [
  'ct direction reply return',
  ...(guestPrefixes.length === 0 ? [] : [`ip daddr { ${guestPrefixes.join(', ')} } return`]),
  `jump ${tagChain(vpn)}`,
];

/** Marks for an uplink, and remembers it. The mark of a connection is one register and one constant: its other bits become zero. */
export function uplinkMarkChains({ ifname, ifindex }: Uplink): readonly Chain[] {
  const tag = routingTag(ifindex);
  const pin = `ct mark set meta mark & ${formatMark(SOURCE_MASK)} | ${formatMark(tag)}`;
  return [
    plain(egressChain({ kind: 'uplink', ifname }), [toTag(tag), NEEDS_NAT]),
    plain(pinChain(ifname), [pin]),
  ];
}

/** Egress first: it may take the whole mark from the connection. What comes from outside counts for whom it answers. */
export function classifyChain(): Chain {
  const sources = MARKED_SOURCES.map(
    (source) => `${formatMark(sourceMark(source))} : jump ${sourceChain(source)}`,
  );
  return base(
    'classify',
    ['filter', 'prerouting', 'mangle'],
    [
      `iifname vmap ${at(SETS.guestEgress)}`,
      `iifname vmap ${at(SETS.guestSource)}`,
      `ct state new iifname vmap ${at(SETS.uplinkPin)}`, // so that its answers leave by it
      `iifname ${at(SETS.uplinks)} ct mark & ${formatMark(SOURCE_MASK)} vmap { ${sources.join(', ')} }`,
    ],
  );
}
