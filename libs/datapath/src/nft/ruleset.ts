import type { Element, Shape, Uplink } from '../desired';
import {
  allBut,
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
  type TrafficSource,
} from '../marks';
import { DOOMED_GROUP, LINK_GROUP } from '../tags';
import { egressChain, pinChain, sourceChain } from './chains';
import { SETS, type SetSpec } from './sets';

/**
 * Theory of operation. A packet meets these chains in this order; which rules it passes does not depend on the number of guests.
 *
 *   guard       prerouting  raw          what may enter: no martians, nothing from links that are not allowed, no false sources
 *   classify    prerouting  mangle       whose packet it is and which way it shall leave, written into its mark
 *               prerouting  dstnat       (here come port forwards and DNS redirection)
 *   input       input       filter - 10  what guests may reach of the host
 *   forward     forward     filter - 10  what may reach guests (here come VPN lockdown, first, and the MSS clamp)
 *               output      mangle       (here come the marks of local users)
 *   pin         postrouting mangle       remembers uplink and source in the connection's mark
 *   nat_out     postrouting srcnat       IPv4 of guests takes the uplink's address
 *   leak        postrouting srcnat + 10  what still has a guest's source now never leaves
 *
 * Trusted are the names in the sets: a link comes into `guests` when all else about it is in place, and leaves it first.
 * nft 1.0.6 can combine a mark with constants only, so there is one small chain for each source and each uplink.
 */
export interface Ruleset {
  /** Named counters, one for each reason to drop. */
  readonly counters: readonly string[];
  readonly chains: readonly Chain[];
  /** Elements that follow from the shape alone. */
  readonly elements: readonly Element[];
}

export interface Chain {
  readonly name: string;
  /** "type filter hook input priority 0; policy accept;"; null: entered by jumps only. */
  readonly hook: string | null;
  readonly rules: readonly string[];
}

const COUNTERS = [
  'drop_martian',
  'drop_not_allowed',
  'drop_spoofed_ip4',
  'drop_no_uplink',
  'drop_invalid',
  'drop_unasked',
  'drop_guest_to_guest',
  'drop_guest_to_host',
  'drop_leak',
] as const;

type Counter = (typeof COUNTERS)[number];

/** UNKNOWN stands for no source, so nothing is written for it. */
const MARKED_SOURCES = TRAFFIC_SOURCES.filter((source) => source !== 'UNKNOWN');

export function ruleset(shape: Shape): Ruleset {
  return {
    counters: COUNTERS,
    chains: [
      ...MARKED_SOURCES.map(sourceChainOf),
      ...egressChains(),
      guardChain(),
      classifyChain(),
      ...inputChains(),
      ...forwardChains(),
      ...leavingChains(shape.guestPrefixes),
      ...shape.uplinks.flatMap(uplinkChains), // last: they come and go
    ],
    elements: shape.uplinks.flatMap(uplinkElements),
  };
}

export const chainNames = (shape: Shape): readonly string[] => ruleset(shape).chains.map(({ name }) => name);

const at = (set: SetSpec): string => `@${set.name}`;
const drop = (counter: Counter): string => `counter name "${counter}" drop`;
const OUR_GROUPS = `${LINK_GROUP}-${DOOMED_GROUP}`;

function base(type: 'filter' | 'nat', hook: string, priority: string): string {
  return `type ${type} hook ${hook} priority ${priority}; policy accept;`;
}

/** `mark` with the bits of `mask` replaced by `bits`. */
const markSet = (mask: number, bits: number): string =>
  `meta mark set meta mark & ${formatMark(allBut(mask))} | ${formatMark(bits)}`;

const sourceChainOf = (source: TrafficSource): Chain => ({
  name: sourceChain(source),
  hook: null,
  rules: [markSet(SOURCE_MASK, sourceMark(source))],
});

const snat = `meta nfproto ipv4 ${markSet(NEEDS_SNAT, NEEDS_SNAT)}`;
const toTag = (tag: number): string => markSet(ROUTING_TAG_MASK, tag);

function egressChains(): readonly Chain[] {
  // An invalid packet has no connection: this rule does nothing to it, and `forward` drops it by the bit that the next one sets.
  const asConnection = `meta mark set ct mark & ${formatMark(ROUTING_TAG_MASK)}`;
  const notToHost = `ip daddr ${at(SETS.guestGateways)} return`;
  const asUser = markSet(VPN_INTENT_MASK, ROUTE_ON_VPN);
  return [
    { name: egressChain({ kind: 'default' }), hook: null, rules: [asConnection, snat] },
    { name: egressChain({ kind: 'user' }), hook: null, rules: [asConnection, snat, notToHost, asUser] },
    { name: egressChain({ kind: 'nowhere' }), hook: null, rules: [toTag(NOWHERE_TAG), snat] },
  ];
}

/** The mark of a connection is made of one register and one constant: all its other bits become zero. */
function uplinkChains({ ifname, ifindex }: Uplink): readonly Chain[] {
  const tag = routingTag(ifindex);
  const pin = `ct mark set meta mark & ${formatMark(SOURCE_MASK)} | ${formatMark(tag)}`;
  return [
    { name: egressChain({ kind: 'uplink', ifname }), hook: null, rules: [toTag(tag), snat] },
    { name: pinChain(ifname), hook: null, rules: [pin] },
  ];
}

function guardChain(): Chain {
  return {
    name: 'guard',
    hook: base('filter', 'prerouting', 'raw'),
    rules: [
      // CVE-2020-8558: with route_localnet a neighbour reaches what listens on loopback only.
      `ip saddr 127.0.0.0/8 iifname != "lo" ${drop('drop_martian')}`,
      `ip daddr 127.0.0.0/8 iifname != "lo" ${drop('drop_martian')}`,
      `meta iifgroup ${OUR_GROUPS} iifname != ${at(SETS.guests)} ${drop('drop_not_allowed')}`,
      `iifname ${at(SETS.guests)} iifname . ip saddr != ${at(SETS.guestIp4)} ${drop('drop_spoofed_ip4')}`,
      // Here come the checks of Ethernet and IPv6 sources, each for links in a set of their own.
    ],
  };
}

/** Egress first: it may take the whole mark from the connection. */
function classifyChain(): Chain {
  const sources = MARKED_SOURCES.map(
    (source) => `${formatMark(sourceMark(source))} : jump ${sourceChain(source)}`,
  );
  return {
    name: 'classify',
    hook: base('filter', 'prerouting', 'mangle'),
    rules: [
      `iifname vmap ${at(SETS.guestEgress)}`,
      `iifname vmap ${at(SETS.guestSource)}`,
      `iifname ${at(SETS.uplinks)} ct mark & ${formatMark(SOURCE_MASK)} vmap { ${sources.join(', ')} }`,
    ],
  };
}

function inputChains(): readonly Chain[] {
  return [
    {
      name: 'from_guest',
      hook: null,
      rules: [
        'ct state established,related accept',
        'icmp type echo-request accept',
        // RFC 4861 without router advertisements and redirects; RFC 2710 and 3810 reports.
        'icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, mld-listener-done, mld2-listener-report } accept',
        `iifname . meta l4proto . th dport ${at(SETS.guestServices)} accept`,
        drop('drop_guest_to_host'),
      ],
    },
    {
      name: 'input',
      hook: base('filter', 'input', 'filter - 10'),
      rules: [`iifname ${at(SETS.guests)} jump from_guest`],
    },
  ];
}

/** What comes from guests passes outwards; what goes to a guest must be asked for, published, or allowed between the two. */
function forwardChains(): readonly Chain[] {
  const [guests, managed, users] = [at(SETS.guests), at(SETS.managedGuests), at(SETS.userNamespaces)];
  const masked = (mask: number, bits: number): string =>
    `meta mark & ${formatMark(mask)} == ${formatMark(bits)}`;
  return [
    {
      name: 'to_guest',
      hook: null,
      rules: [
        'ct status dnat accept',
        `iifname ${managed} oifname ${users} accept`,
        `iifname ${users} oifname ${managed} accept`,
        `iifname ${guests} ${drop('drop_guest_to_guest')}`,
        drop('drop_unasked'),
      ],
    },
    {
      name: 'forward',
      hook: base('filter', 'forward', 'filter - 10'),
      rules: [
        `${masked(ROUTING_TAG_MASK, NOWHERE_TAG)} oifname != ${guests} ${drop('drop_no_uplink')}`,
        'ct state established,related accept',
        // NAT passes these by, so they would leave with the guest's address.
        `${masked(NEEDS_SNAT, NEEDS_SNAT)} ct state invalid,untracked ${drop('drop_invalid')}`,
        `meta oifgroup ${OUR_GROUPS} jump to_guest`,
        `oifname ${guests} jump to_guest`,
      ],
    },
  ];
}

function leavingChains(guestPrefixes: readonly string[]): readonly Chain[] {
  const needsSnat = `meta mark & ${formatMark(NEEDS_SNAT)} == ${formatMark(NEEDS_SNAT)}`;
  const leak = `ip saddr { ${guestPrefixes.join(', ')} } oifname ${at(SETS.uplinks)} ${drop('drop_leak')}`;
  return [
    {
      name: 'pin',
      hook: base('filter', 'postrouting', 'mangle'),
      rules: [`oifname vmap ${at(SETS.uplinkPin)}`],
    },
    {
      name: 'nat_out',
      hook: base('nat', 'postrouting', 'srcnat'),
      rules: [`meta nfproto ipv4 ${needsSnat} oifname != ${at(SETS.guests)} masquerade`],
    },
    {
      name: 'leak',
      hook: base('filter', 'postrouting', 'srcnat + 10'),
      rules: guestPrefixes.length > 0 ? [leak] : [],
    },
  ];
}

const uplinkElements = ({ ifname }: Uplink): readonly Element[] => [
  { set: SETS.uplinks.name, key: [ifname] },
  { set: SETS.uplinkPin.name, key: [ifname], jump: pinChain(ifname) },
];
