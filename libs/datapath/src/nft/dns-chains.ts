import type { UserDns } from '../desired';
import { ROUTE_ON_VPN, VPN_INTENT_MASK } from '../marks';
import { at, base, marked, type Chain } from './rules';
import { SETS } from './sets';

/** Name lookups as SetDnsRedirectionRule leaves them (spec/patchpanel.md 3.9). */

export const LOOKUP = 'meta l4proto { tcp, udp } th dport 53';

/** Of guests, by their link; in `nat_in`, before everything else. */
export const DNS_REDIRECT_RULES: readonly string[] = [
  `meta nfproto ipv4 ${LOOKUP} dnat ip to iifname map ${at(SETS.dnsRedirect4)}`,
  `meta nfproto ipv6 ${LOOKUP} dnat ip6 to iifname map ${at(SETS.dnsRedirect6)}`,
];

/**
 * Of the host's own users: the session's user asks the name servers in turn, everybody else whose traffic follows a VPN asks the proxy.
 * A resolver on loopback is left alone.
 */
export const userDnsChain = (userDns: readonly UserDns[], sessionUser: number | null): Chain =>
  base(
    'dns_out',
    ['nat', 'output', '-100'], // NF_IP_PRI_NAT_DST; nft 1.0.6 has no name for it here
    userDns.flatMap(({ family, proxy, nameservers }) => {
      const outside = `meta nfproto ${family} oifname != "lo" ${LOOKUP}`;
      const to = `dnat ${family === 'ipv4' ? 'ip' : 'ip6'} to`;
      const inTurn = nameservers.map((address, i) => `${i} : ${address}`).join(', ');
      return [
        ...(sessionUser === null || nameservers.length === 0
          ? []
          : [
              `${outside} meta skuid ${sessionUser} ${to} numgen inc mod ${nameservers.length} map { ${inTurn} }`,
            ]),
        `${outside} ${marked(VPN_INTENT_MASK, ROUTE_ON_VPN)} ${to} ${proxy}`,
      ];
    }),
  );

/** Their source was chosen for where they would have gone; in `nat_out`. The proxy answers over IPv4 to any address of the host. */
export const userDnsSourceRules = (
  userDns: readonly UserDns[],
  sessionUser: number | null,
): readonly string[] =>
  userDns.flatMap(({ family, nameservers }) => {
    const redirected = `meta nfproto ${family} ct status dnat ${LOOKUP}`;
    return [
      ...(sessionUser === null || nameservers.length === 0
        ? []
        : [`${redirected} meta skuid ${sessionUser} masquerade`]),
      ...(family === 'ipv6' ? [`${redirected} ${marked(VPN_INTENT_MASK, ROUTE_ON_VPN)} masquerade`] : []),
    ];
  });
