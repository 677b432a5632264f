import {
  ARC_BRIDGE,
  formatMark,
  hasRoutingTag,
  isIfname,
  MARK_BITS,
  NEEDS_SNAT,
  ROUTING_TAG_MASK,
  VPN_INTENT_MASK,
  type Pools,
} from '@pp/datapath';
import { cidrContains, formatCidr, hostCidr, parseCidr, type Cidr } from '@pp/wire';
import type { MarkRuleView, NetworkView } from './network-news';

/**
 * What of the host's own network is in the way of guests', a sentence each: addresses and routes inside guests' address space, other
 * users of the bits of our packet marks, and ways out, or interfaces `chosen` for it, that cannot be uplinks. Nothing is decided by it;
 * somebody should know.
 */
export function clashesOf(
  view: NetworkView,
  { guestPrefixes }: Pools,
  chosen: readonly string[] = [],
): readonly string[] {
  const pools = guestPrefixes.flatMap((prefix) => parseCidr(prefix) ?? []);
  const links = view.links.filter(({ ifname }) => ifname !== ARC_BRIDGE && !MAYBE_OURS.test(ifname));
  const names = new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]));
  const told = new Set<string>();
  const addresses = view.addresses.flatMap(({ ifindex, cidr }) => {
    const [ifname, pool] = [names.get(ifindex), poolAround(addressOf(cidr), pools)];
    if (ifname === undefined || pool === null) return [];
    told.add(ifname);
    return [`the address ${cidr} of ${ifname} ${lies(pool)}`];
  });
  const routes = view.routes.flatMap(({ ifindex, dst }) => {
    const [ifname, pool] = [names.get(ifindex), poolAround(parseCidr(dst), pools)];
    if (ifname === undefined || pool === null || told.has(ifname)) return [];
    return [`the route to ${dst} by ${ifname} ${lies(pool)}`];
  });
  return [...addresses, ...routes, ...markClashes(view), ...unsayable(view, chosen), ...crowdOf(view)];
}

/** A TAP of ours is seen for a moment without its tag. */
const MAYBE_OURS = /^vmtap\d+$/;

const lies = (pool: string): string =>
  `lies in guests' ${pool}: guests and hosts there may not reach each other; give that network other addresses`;

/** Interfaces that would be uplinks by another name, or by another number. */
const unsayable = ({ links, routes }: NetworkView, chosen: readonly string[]): readonly string[] =>
  links.flatMap(({ ifname, ifindex, physical }) => {
    const fault = faultOf(ifname, ifindex);
    if (fault === null) return [];
    const leadsOut =
      physical ||
      chosen.includes(ifname) ||
      routes.some((route) => route.ifindex === ifindex && route.dst.endsWith('/0'));
    return leadsOut ? [`the interface ${JSON.stringify(ifname)} cannot be an uplink: ${fault}`] : [];
  });

function faultOf(ifname: string, ifindex: number): string | null {
  if (!isIfname(ifname))
    return 'nftables cannot name it; give it a name without quotes, backslashes, * and %';
  if (!hasRoutingTag(ifindex))
    return `packet marks have no room for its number, ${ifindex}; make it anew with one up to 64535 (ip link add ${ifname} index N ...)`;
  return null;
}

const crowdOf = ({ routesAbove }: NetworkView): readonly string[] =>
  routesAbove === undefined
    ? []
    : [
        `a routing table has more than ${routesAbove} routes: guests go by its default routes and the networks of its links, and by no other`,
      ];

function addressOf(cidr: string): Cidr | null {
  const parsed = parseCidr(cidr);
  return parsed === null ? null : hostCidr(parsed.address);
}

function poolAround(inner: Cidr | null, pools: readonly Cidr[]): string | null {
  const pool = inner === null ? undefined : pools.find((each) => cidrContains(each, inner));
  return pool === undefined ? null : formatCidr(pool);
}

/** Programs that use marks without a rule of their own, or whose rules are better told by name. */
const MARK_USERS = [
  { name: 'Tailscale', link: /^tailscale\d+$/, mask: 0x00ff0000 },
  { name: 'kube-proxy', link: /^(kube-ipvs0|kube-bridge)$/, mask: 0x0000c000 },
  { name: 'Calico', link: /^(cali[0-9a-f]{11}|vxlan\.calico)$/, mask: 0xffff0000 },
  { name: 'Cilium', link: /^cilium_(host|net|vxlan)$/, mask: 0xffff0f00 },
] as const;

/** A program by its links, once; else each mark that rules of others look for, once. */
function markClashes({ links, markRules }: NetworkView): readonly string[] {
  const programs = MARK_USERS.filter(({ link }) => links.some(({ ifname }) => link.test(ifname)));
  const isTold = ({ mask }: MarkRuleView): boolean => programs.some((program) => (program.mask & mask) !== 0);
  const rules = markRules.filter(
    (rule) => (rule.mask & MARK_BITS) !== 0 && !isApart(rule.value) && !isTold(rule),
  );
  return [
    ...programs.map(({ name, mask }) => `${name} is here and marks packets in ${formatMark(mask)} ${shares}`),
    ...new Set(
      rules.map(
        ({ priority, value, mask }) =>
          `rule ${priority} of another program looks for mark ${formatMark(value)} in ${formatMark(mask)} ${shares}`,
      ),
    ),
  ];
}

/** It has a bit that no mark of ours has, and none that leads elsewhere here (wg-quick's 51820): neither is taken for the other. */
const isApart = (value: number): boolean =>
  (value & ~MARK_BITS) !== 0 &&
  (value & (ROUTING_TAG_MASK | NEEDS_SNAT)) === 0 &&
  [0, VPN_INTENT_MASK].includes(value & VPN_INTENT_MASK);

const shares = `of which ${formatMark(MARK_BITS)} are ours: one may lead the other's packets astray`;
