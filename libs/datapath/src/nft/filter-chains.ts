import type { Shape, Uplink } from '../desired';
import { formatMark, NEEDS_SNAT, NOWHERE_TAG, ROUTING_TAG_MASK, routingTag } from '../marks';
import type { ArcVpnRules } from './arc-vpn';
import { forwardChain, GUEST_MAC_CHAIN, USER_MAC_CHAIN } from './chains';
import { MARK_AS_USER, pinRule } from './mark-chains';
import { MULTICAST_RULES } from './multicast-rules';
import { ACCESS_RULES, ARRIVAL_RULE } from './port-chains';
import { at, base, drop, fromUplink, marked, othersAmong, OUR_GROUPS, plain, type Chain } from './rules';
import { SETS } from './sets';
import { lockdownRule, MSS_RULE } from './vpn-chains';

const GUESTS = at(SETS.guests);

/** RFC 4861 without router advertisements and redirects, and the reports of RFC 2710 and 3810. */
const ICMPV6_TO_HOST = [
  'echo-request',
  'nd-neighbor-solicit',
  'nd-neighbor-advert',
  'nd-router-solicit',
  'mld-listener-report',
  'mld-listener-done',
  'mld2-listener-report',
];

/**
 * What may enter at all; who a guest says it is, is looked at for guests only. CVE-2020-8558: with route_localnet a neighbour would reach
 * what listens on loopback only. IPv4 of a guest pays for two look-ups, what comes from an uplink for none.
 */
export const guardChains = (uplinks: readonly Uplink[], { sources }: ArcVpnRules): readonly Chain[] => [
  ...macChains(GUEST_MAC_CHAIN, 'accept'),
  ...macChains(USER_MAC_CHAIN, `${MARK_AS_USER} accept`),
  plain('guest_sources', [
    `iifname ${at(SETS.guestMacChecked)} iifname . ether saddr != ${at(SETS.guestMac)} ${drop('drop_spoofed_mac')}`,
    `iifname . ether saddr ${at(SETS.hostMac)} ${drop('drop_spoofed_mac')}`,
    ...sources,
    `meta nfproto ipv4 ${drop('drop_spoofed_ip4')}`, // its own address has been let in
    // A guest's own addresses have routes to its link; a new address is first probed for, from none (RFC 4862 §5.4).
    `fib saddr . iif oif missing ip6 saddr != { ::, fe80::/10 } ${drop('drop_spoofed_ip6')}`,
  ]),
  base(
    'guard',
    ['filter', 'prerouting', 'raw'],
    [
      `ip saddr 127.0.0.0/8 iifname != "lo" ${drop('drop_martian')}`,
      `ip daddr 127.0.0.0/8 iifname != "lo" ${drop('drop_martian')}`,
      ...othersAmong(uplinks).map((uplink) => `${fromUplink(uplink)} accept`),
      `iifname . ip saddr vmap ${at(SETS.guestAddress)}`,
      `meta iifgroup ${OUR_GROUPS} iifname != ${GUESTS} ${drop('drop_not_allowed')}`,
      `iifname ${GUESTS} jump guest_sources`,
    ],
  ),
];

const macChains = (
  { guest, host }: typeof GUEST_MAC_CHAIN | typeof USER_MAC_CHAIN,
  letIn: string,
): readonly Chain[] => [
  plain(guest, [`iifname . ether saddr ${at(SETS.guestMac)} ${letIn}`, drop('drop_spoofed_mac')]),
  plain(host, [`iifname . ether saddr ${at(SETS.hostMac)} ${drop('drop_spoofed_mac')}`, letIn]),
];

/** What guests may reach of the host. */
export const inputChains = (): readonly Chain[] => [
  plain('from_guest', [
    'ct state established,related accept',
    // Whoever is heard, or answered, by a link-local address has a place in the neighbour table: a guest could make up as many as it likes.
    `ip6 saddr fe80::/10 iifname ${at(SETS.guestHaste)} ${drop('drop_guest_to_host')}`,
    'icmp type echo-request accept',
    `icmpv6 type { ${ICMPV6_TO_HOST.join(', ')} } accept`,
    'ct status dnat accept', // led to the host itself, as asked for
    `iifname . meta l4proto . th dport ${at(SETS.guestServices)} accept`,
    ...MULTICAST_RULES,
    ...ACCESS_RULES,
    drop('drop_guest_to_host'),
  ]),
  base('input', ['filter', 'input', 'filter - 10'], [`iifname ${GUESTS} jump from_guest`]),
];

/** What comes from guests passes outwards; what goes to a guest must be asked for, published, or allowed between the two. */
export function forwardChains({ lockdown }: Shape, arcVpn: ArcVpnRules): readonly Chain[] {
  const [managed, users] = [at(SETS.managedGuests), at(SETS.userNamespaces)];
  return [
    plain('to_guest', [
      ARRIVAL_RULE,
      'ct status dnat accept',
      `iifname ${managed} oifname ${users} accept`,
      `iifname ${users} oifname ${managed} accept`,
      `iifname ${GUESTS} ${drop('drop_guest_to_guest')}`,
      drop('drop_unasked'),
    ]),
    base(
      'forward',
      ['filter', 'forward', 'filter - 10'],
      [
        ...(lockdown === true ? [lockdownRule()] : []),
        `${marked(ROUTING_TAG_MASK, NOWHERE_TAG)} oifname != ${GUESTS} ${drop('drop_no_uplink')}`,
        'ct status assured accept', // both ends have spoken, so it opens nothing
        MSS_RULE,
        'ct state established,related accept',
        // NAT passes these by, so they would leave with the guest's address.
        `${marked(NEEDS_SNAT, NEEDS_SNAT)} ct state invalid,untracked ${drop('drop_invalid')}`,
        `ct state invalid,untracked iifname ${GUESTS} oifname ${at(SETS.vpns)} ${drop('drop_invalid')}`, // IPv6 too
        ...arcVpn.forward,
        `meta oifgroup ${OUR_GROUPS} jump to_guest`,
        `oifname ${GUESTS} jump to_guest`,
        `iifname ${GUESTS} oifname vmap ${at(SETS.uplinkForward)}`,
      ],
    ),
  ];
}

/** Main's routes to the networks of other uplinks come before those of the tag, so a guest that is pinned is held back here. */
export const uplinkForwardChain = ({ ifname, ifindex }: Uplink): Chain =>
  plain(forwardChain(ifname), [
    `meta mark & ${formatMark(ROUTING_TAG_MASK)} != { ${formatMark(0)}, ${formatMark(routingTag(ifindex))} } ${drop('drop_other_uplink')}`,
  ]);

/**
 * What is done to packets that leave. `sourceRules` come first where their source is chosen. A prefix is compared, not looked up: a set
 * with intervals costs more than all the rest of the chain.
 */
export function leavingChains(
  { guestPrefixes, uplinks }: Pick<Shape, 'guestPrefixes' | 'uplinks'>,
  sourceRules: readonly string[],
  { leaving }: ArcVpnRules,
): readonly Chain[] {
  const leak = (prefix: string): string =>
    `ip saddr ${prefix} oifname ${at(SETS.uplinks)} ${drop('drop_leak')}`;
  return [
    base(
      'nat_out',
      ['nat', 'postrouting', 'srcnat'],
      [
        ...sourceRules,
        `meta nfproto ipv4 ${marked(NEEDS_SNAT, NEEDS_SNAT)} oifname != ${GUESTS} masquerade`,
        // Also of the host, whose source was chosen before the mark, and IPv6 of another prefix; but no neighbour that routes by the host.
        `oifname ${at(SETS.vpns)} iifname != ${at(SETS.uplinks)} masquerade`,
      ],
    ),
    base(
      'leave',
      ['filter', 'postrouting', 'srcnat + 10'],
      [
        ...uplinks.map((uplink) => `meta oif ${uplink.ifindex} ${pinRule(uplink)}`),
        ...(guestPrefixes.length > 0 ? leaving : []),
        ...guestPrefixes.map(leak),
      ],
    ),
  ];
}
