import { isLoopback, isMulticast, isRunning, isUp } from '@pp/netlink';
import type { Link, Route, Rule } from '@pp/netlink';
import { ARC_BRIDGE, ROUTE_PROTOCOL } from '@pp/datapath';
import type { LinkView, MarkRuleView, NetworkView, RouteView } from '@pp/ports';
import { MAX_ROUTES } from './crowded-routes';
import { firstForeignRule, overridingTables, RT_TABLE_MAIN, type NetworkSnapshot } from './foreign-rules';
import { isOurs } from './is-ours';
import { isUsable } from './netlink-interfaces';

/** The host's network without what is hidden of it: unicast routes of table main and of those that beat it, one for each next hop; rules by mark. */
export function viewOf({ links, addresses, routes, rules, isCrowded }: NetworkSnapshot): NetworkView {
  const foreign = links.filter((link) => !isHidden(link));
  const shown = new Set(foreign.map(({ ifindex }) => ifindex));
  const firstRule = firstForeignRule(rules);
  const overriding = new Set(overridingTables(rules));
  return {
    links: foreign.map(linkView),
    addresses: addresses
      .filter(({ ifindex, flags }) => shown.has(ifindex) && isUsable(flags))
      .map(({ ifindex, cidr }) => ({ ifindex, cidr })),
    routes: routes
      .filter(({ table, kind }) => (table === RT_TABLE_MAIN || overriding.has(table)) && kind === 'unicast')
      .flatMap((route) => routeViews(route, shown)),
    ...(firstRule === undefined ? {} : { firstRule }),
    markRules: rules.filter(isForeignRule).flatMap(markRuleView),
    ...(isCrowded ? { routesAbove: MAX_ROUTES } : {}),
  };
}

/** Of our own links Android's management bridge alone is shown: a default route by it makes Android's own VPN the host's. */
export const isHidden = (link: Link): boolean => isOurs(link) && link.ifname !== ARC_BRIDGE;

/** Of somebody else; the kernel says FRA_PROTOCOL of ours when they come and when they go. */
export const isForeignRule = ({ protocol }: Rule): boolean => protocol !== ROUTE_PROTOCOL;

const markRuleView = ({ family, priority, fwmark }: Rule): readonly MarkRuleView[] =>
  fwmark === null ? [] : [{ family, priority, ...fwmark }];

const linkView = (link: Link): LinkView => ({
  ifname: link.ifname,
  ifindex: link.ifindex,
  kind: link.kind,
  type: link.type,
  loopback: isLoopback(link),
  up: isUp(link),
  running: isRunning(link),
  multicast: isMulticast(link),
  mtu: link.mtu,
  mac: link.mac,
  physical: link.parentDevice !== null,
  enslaved: link.master !== null,
});

const routeViews = (
  { family, dst, src, metric, table, hops }: Route,
  shown: ReadonlySet<number>,
): readonly RouteView[] =>
  hops.flatMap(({ via, ifindex }) =>
    ifindex === null || !shown.has(ifindex)
      ? []
      : [{ family, dst, via, ifindex, src, metric, ...(table === RT_TABLE_MAIN ? {} : { beatsMain: true }) }],
  );
