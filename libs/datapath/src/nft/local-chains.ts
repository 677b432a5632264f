import type { LocalSources, Shape, Uplink } from '../desired';
import {
  formatMark,
  ROUTE_ON_VPN,
  ROUTING_TAG_MASK,
  routingTag,
  SOURCE_MASK,
  sourceMark,
  VPN_INTENT_MASK,
  type TrafficSource,
} from '../marks';
import { arcVpnRules } from './arc-vpn';
import { sourceChain, tagChain } from './chains';
import { LOOKUP } from './dns-chains';
import { at, base, drop, mark, marked, plain, type Chain } from './rules';
import { SETS } from './sets';

/** Bits that only somebody else sets: a VPN's own socket, say, whose marks are read by rules that are not ours. */
const NOT_OURS = ~(ROUTING_TAG_MASK | VPN_INTENT_MASK) >>> 0;

/** net_cls.classid of the update engine (spec/patchpanel.md 3.2). */
const UPDATE_ENGINE_CLASS = '0x00010001';

const USER_VPN = 'local_on_vpn';
const TO_VPN = 'local_to_vpn';

/**
 * Marks of the host's own traffic (spec/patchpanel.md 3.2). A source is written under its own mask, and the wish for the VPN only where
 * the socket has none, so that SetVpnIntent stands. A connection stays on its uplink, or answers by the one that it came in on.
 */
export const localChains = (shape: Shape): readonly Chain[] => [
  plain(USER_VPN, [`${marked(VPN_INTENT_MASK, 0)} ${mark(VPN_INTENT_MASK, ROUTE_ON_VPN)}`]),
  ...localUsers(shape)
    .map(({ source }) => source)
    .filter(isFirst)
    .map(localUserChain),
  ...(shape.vpn === undefined ? [] : [toVpnChain(shape, shape.vpn)]),
  base('mark_output', ['route', 'output', 'mangle'], outputRules(shape)),
];

/** Writes the uplink's tag and nothing else. */
export const uplinkTagChain = ({ ifname, ifindex }: Uplink): Chain =>
  plain(tagChain(ifname), [mark(ROUTING_TAG_MASK, routingTag(ifindex))]);

function outputRules(shape: Shape): readonly string[] {
  return [
    `meta mark & ${formatMark(NOT_OURS)} != ${formatMark(0)} return`,
    `${marked(VPN_INTENT_MASK, VPN_INTENT_MASK)} return`,
    'oifname "lo" return',
    'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } return',
    // Each takes a place in the neighbour table, and a guest would make up as many senders as it likes; none of them could use it beyond its link.
    `icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ip6 daddr fe80::/10 oifname ${at(SETS.guests)} ${drop('drop_guest_to_host')}`,
    ...sourceRules(shape),
    ...(shape.uplinks.length === 0 ? [] : [asConnection(shape.uplinks)]),
    ...(shape.vpn === undefined
      ? []
      : ['ct direction reply return', `${marked(VPN_INTENT_MASK, ROUTE_ON_VPN)} jump ${TO_VPN}`]),
  ];
}

function sourceRules({ localSources }: Shape): readonly string[] {
  const users = localSources?.users ?? [];
  const verdicts = users.map(({ uid, source }) => `${uid} : jump ${localUserName(source)}`);
  // What a process leaves to be sent when it ends has no user any more: it stays whose the connection was. SYSTEM's is mostly no user's.
  const orphans = users
    .map(({ source }) => source)
    .filter((source) => source !== 'SYSTEM')
    .filter(isFirst)
    .map((source) => `${formatMark(sourceMark(source))} : jump ${localUserName(source)}`);
  return [
    ...(verdicts.length === 0 ? [] : [`meta skuid vmap { ${verdicts.join(', ')} }`]),
    ...(localSources?.cgroup === true
      ? [`${marked(SOURCE_MASK, 0)} meta cgroup ${UPDATE_ENGINE_CLASS} jump ${sourceChain('UPDATE_ENGINE')}`]
      : []),
    ...(orphans.length === 0
      ? []
      : [`${marked(SOURCE_MASK, 0)} ct mark & ${formatMark(SOURCE_MASK)} vmap { ${orphans.join(', ')} }`]),
    `${marked(SOURCE_MASK, 0)} jump ${sourceChain('SYSTEM')}`,
  ];
}

/** A wish for one uplink that came with the socket is kept. */
const asConnection = (uplinks: readonly Uplink[]): string => {
  const tags = uplinks.map(
    ({ ifname, ifindex }) => `${formatMark(routingTag(ifindex))} : jump ${tagChain(ifname)}`,
  );
  return `${marked(ROUTING_TAG_MASK, 0)} ct state established,related ct mark & ${formatMark(ROUTING_TAG_MASK)} vmap { ${tags.join(', ')} }`;
};

const localUserName = (source: TrafficSource): string => `local_${source.toLowerCase()}`;

const localUserChain = (source: TrafficSource): Chain =>
  plain(localUserName(source), [mark(SOURCE_MASK, sourceMark(source)), `jump ${USER_VPN}`]);

function toVpnChain(shape: Shape, vpn: string): Chain {
  const { guestPrefixes, userDns = [], sessionUser } = shape;
  return plain(TO_VPN, [
    ...userDns.map(({ family, nameservers }) =>
      proxiedLookup(family, nameservers.length === 0 ? null : (sessionUser ?? null)),
    ),
    ...(guestPrefixes.length === 0 ? [] : [`ip daddr { ${guestPrefixes.join(', ')} } return`]),
    `${arcVpnRules(shape).toGuests} return`,
    `jump ${tagChain(vpn)}`,
  ]);
}

/** It is led to a proxy on this host, which asks by the VPN; the session's user asks the name servers themselves. */
const proxiedLookup = (family: 'ipv4' | 'ipv6', sessionUser: number | null): string => {
  const others = sessionUser === null ? '' : ` meta skuid != ${sessionUser}`;
  return `meta nfproto ${family}${others} ${LOOKUP} return`;
};

const localUsers = ({ localSources }: Shape): LocalSources['users'] => localSources?.users ?? [];

const isFirst = <T>(value: T, index: number, all: readonly T[]): boolean => all.indexOf(value) === index;
