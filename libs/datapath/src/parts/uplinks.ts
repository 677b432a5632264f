import {
  cidrContains,
  hostCidr,
  isLinkLocalIpv6,
  parseCidr,
  parseIpv4,
  parseIpv6,
  type Family,
} from '@pp/wire';
import type { Part, Route, Rule } from '../desired';
import {
  BYPASS_VPN,
  ROUTE_ON_VPN,
  ROUTING_TAG_MASK,
  routingTable,
  routingTag,
  VPN_INTENT_MASK,
} from '../marks';
import { MAIN_TABLE } from '../tags';

/** What main holds for one uplink. Structurally a subset of what the manager knows of it. */
export interface UplinkNetwork {
  readonly ifname: string;
  readonly ifindex: number;
  /** The table of a `vpn` is asked before main. */
  readonly kind: 'ethernet' | 'wifi' | 'cellular' | 'vpn';
  /** Its addresses with prefix lengths. */
  readonly addresses: readonly string[];
  /** `gateway` null: the link itself is the next hop. */
  readonly defaults: readonly {
    readonly family: Family;
    readonly gateway: string | null;
    readonly metric: number;
  }[];
  readonly routes: readonly {
    readonly family: Family;
    readonly dst: string;
    readonly gateway: string | null;
    readonly src: string | null;
    readonly metric: number;
  }[];
  /** It is no default network now, whatever routes it has. */
  readonly passedOver?: true;
}

/** It may be the default network: the first such uplink is. */
export const leadsOut = ({ defaults, passedOver }: Pick<UplinkNetwork, 'defaults' | 'passedOver'>): boolean =>
  defaults.length > 0 && passedOver !== true;

const FAMILIES = ['ipv4', 'ipv6'] as const;
const ANYWHERE = { ipv4: '0.0.0.0/0', ipv6: '::/0' } as const;

/** Of default routes; an OpenVPN lays two halves over them in IPv4, and four parts in IPv6. */
const LONGEST_DEFAULT = { ipv4: 1, ipv6: 7 } as const;
/** What IPv6 takes 0 for, IP6_RT_PRIO_USER of linux/ipv6_route.h. */
const IPV6_METRIC = 1024;
/** Metric of the best default route of a table (spec/patchpanel.md 15); the next ones follow. */
const DEFAULT_METRIC = { ipv4: 65536, ipv6: IPV6_METRIC } as const;
/** After every other default route. */
const LAST_METRIC = 0x7fffffff;

/** The uplink that holds the best default route, if it is a VPN; best uplink first. */
export function vpnAmong<T extends Pick<UplinkNetwork, 'kind' | 'defaults' | 'passedOver'>>(
  uplinks: readonly T[],
): T | undefined {
  const best = uplinks.find(leadsOut);
  return best?.kind === 'vpn' ? best : undefined;
}

/**
 * One routing table for each uplink, a mirror of what main holds for it, and the rules that lead packets with its tag there; best uplink
 * first. A table ends in a blackhole: what is tagged for an uplink never leaves by another one, even when its default route is gone.
 * `before`: the lowest priority of other people's rules that every packet meets; null: none. `guestPrefixes`: where a packet of the user's
 * comes to be meant for a guest (a lookup that is led to a proxy) after it was tagged for the VPN, main leads it.
 */
export function uplinksPart(
  uplinks: readonly UplinkNetwork[],
  before: number | null = null,
  guestPrefixes: readonly string[] = [],
): Part {
  return {
    netns: [],
    links: [],
    addresses: [],
    routes: uplinks.flatMap((uplink) => uplinkRoutes(uplink, guestPrefixes)),
    rules: uplinks.length === 0 ? [] : uplinkRules(uplinks, prioritiesBefore(before)),
    elements: [],
    linkSysctls: [],
  };
}

interface Priorities {
  /** Tags of VPNs, main without its default routes, tags of uplinks. */
  readonly vpn: number;
  readonly main: number;
  readonly uplink: number;
  /** Wishes about the VPN. */
  readonly bypass: number;
  readonly follow: number;
}

/** spec/patchpanel.md 15. Tags exclude each other, so one priority is enough for all of them, and a change of ranks changes no rule. */
const PRIORITIES: Priorities = { vpn: 900, main: 1000, uplink: 1010, bypass: 32763, follow: 32764 };

/** A rule without a priority of its own (wg-quick) lands right before our first; then all of ours go before it. */
function prioritiesBefore(foreign: number | null): Priorities {
  if (foreign === null || foreign >= PRIORITIES.follow) return PRIORITIES;
  const first = Math.max(foreign - 5, 1);
  return { vpn: first, main: first + 1, uplink: first + 2, bypass: first + 3, follow: first + 4 };
}

/** Local networks stay main's. Its default routes would catch what is tagged for another uplink. */
function uplinkRules(uplinks: readonly UplinkNetwork[], priority: Priorities): readonly Rule[] {
  const physical = uplinks.find((uplink) => uplink.kind !== 'vpn' && leadsOut(uplink));
  const vpn = vpnAmong(uplinks);
  return FAMILIES.flatMap((family) => [
    ...uplinks.map(({ kind, ifindex }) => ({
      ...rule(family, kind === 'vpn' ? priority.vpn : priority.uplink, routingTable(ifindex)),
      fwmark: { value: routingTag(ifindex), mask: ROUTING_TAG_MASK },
    })),
    { ...rule(family, priority.main, MAIN_TABLE), suppressPrefixLength: LONGEST_DEFAULT[family] },
    ...wishRules(family, priority.bypass, BYPASS_VPN, physical),
    ...wishRules(family, priority.follow, ROUTE_ON_VPN, vpn),
  ]);
}

const wishRules = (
  family: Family,
  priority: number,
  wish: number,
  uplink: UplinkNetwork | undefined,
): readonly Rule[] =>
  uplink === undefined
    ? []
    : [
        {
          ...rule(family, priority, routingTable(uplink.ifindex)),
          fwmark: { value: wish, mask: VPN_INTENT_MASK },
        },
      ];

const rule = (family: Family, priority: number, table: number): Rule => ({
  family,
  priority,
  fwmark: null,
  iif: null,
  oif: null,
  from: null,
  to: null,
  table,
  suppressPrefixLength: null,
});

/** Link routes come first: gateways are reached by them. The kernel holds one route of a metric to a destination. */
function uplinkRoutes(uplink: UplinkNetwork, guestPrefixes: readonly string[]): readonly Route[] {
  const mirrored = uplink.routes.map(({ family, dst, gateway, src, metric }) =>
    unicast(uplink, family, {
      dst,
      via: gateway,
      src,
      metric: family === 'ipv6' && metric === 0 ? IPV6_METRIC : metric,
    }),
  );
  const defaults = FAMILIES.flatMap((family) => defaultRoutes(uplink, family));
  const table = routingTable(uplink.ifindex);
  const ends = FAMILIES.map((family) => last('blackhole', ANYWHERE[family], table));
  const toGuests = uplink.kind === 'vpn' ? guestPrefixes.map((prefix) => last('throw', prefix, table)) : [];
  const all = [
    ...mirrored.toSorted((a, b) => Number(a.via !== null) - Number(b.via !== null)),
    ...defaults,
    ...toGuests,
    ...ends,
  ];
  const first = new Map(all.toReversed().map((route) => [`${route.dst} ${route.metric}`, route]));
  return all.filter((route) => first.get(`${route.dst} ${route.metric}`) === route);
}

function defaultRoutes(uplink: UplinkNetwork, wanted: Family): readonly Route[] {
  return uplink.defaults
    .filter(({ family }) => family === wanted)
    .toSorted((a, b) => a.metric - b.metric)
    .map(({ family, gateway: via }, i) =>
      unicast(uplink, family, { dst: ANYWHERE[family], via, src: null, metric: DEFAULT_METRIC[family] + i }),
    );
}

function unicast(
  uplink: UplinkNetwork,
  family: Family,
  route: Pick<Route, 'dst' | 'via' | 'src' | 'metric'>,
): Route {
  return {
    ...route,
    kind: 'unicast',
    dev: uplink.ifname,
    table: routingTable(uplink.ifindex),
    onlink: route.via !== null && !isOnLink(uplink, family, route.via),
  };
}

/** The next hop is covered by an address of the uplink, by one of its link routes, or is link-local, which every link is on. */
function isOnLink({ addresses, routes }: UplinkNetwork, family: Family, via: string): boolean {
  const address = family === 'ipv4' ? parseIpv4(via) : parseIpv6(via);
  if (address === null) return true;
  const hop = hostCidr(address);
  if (hop.family === 'ipv6' && isLinkLocalIpv6(hop.address)) return true;
  const linkRoutes = routes.filter(({ gateway }) => gateway === null).map(({ dst }) => dst);
  return [...addresses, ...linkRoutes].some((prefix) => {
    const cidr = parseCidr(prefix);
    return cidr !== null && cidrContains(cidr, hop);
  });
}

const last = (kind: 'blackhole' | 'throw', dst: string, table: number): Route => ({
  kind,
  dst,
  via: null,
  dev: null,
  src: null,
  table,
  metric: LAST_METRIC,
  onlink: false,
});
