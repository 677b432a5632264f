import { KernelError } from '@pp/base';
import { ROUTE_PROTOCOL } from '@pp/datapath';
import type { Observed, ObservedLink, Route, Rule } from '@pp/datapath';
import {
  dumpAddresses,
  dumpChains,
  dumpLinks,
  dumpRoutes,
  dumpRules,
  getTable,
  isMulticast,
  isPermanent,
  isUp,
} from '@pp/netlink';
import type { Link, NetlinkClient, Route as SeenRoute, Rule as SeenRule } from '@pp/netlink';
import type { Context } from './context';
import { isOurs } from './is-ours';
import { OUR_TABLE } from './set-elements';

export interface Ask {
  readonly netns: readonly string[];
  readonly sysctls: readonly string[];
}

/** All that carries our tag. Remembers which links are ours. */
export async function observe(context: Context, { netns, sysctls }: Ask): Promise<Observed> {
  const { route, netfilter, own } = context;
  const links = await route.dump(dumpLinks());
  const names = new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]));
  const ours = new Map(links.filter(isOurs).map((link) => [link.ifindex, link]));
  const addresses = await route.dump(dumpAddresses());
  const routes = await route.dump(dumpRoutes({ protocol: ROUTE_PROTOCOL }));
  const rules = await route.dump(dumpRules());
  const table = await hasTable(netfilter);
  const chains = table ? await netfilter.dump(dumpChains(OUR_TABLE)) : [];
  own.clear();
  for (const { ifname, ifindex } of ours.values()) own.set(ifname, ifindex);
  return {
    links: [...ours.values()].map((link) => observedLink(link, names)),
    addresses: addresses
      .filter((address) => isPermanent(address) && ours.has(address.ifindex))
      .map(({ ifindex, cidr }) => ({ ifname: names.get(ifindex) ?? '', cidr })),
    routes: routes.flatMap((seen) => observedRoute(seen, names)),
    rules: rules.filter(({ protocol }) => protocol === ROUTE_PROTOCOL).map(observedRule),
    table,
    chains: chains.map(({ name }) => name),
    netns: netns.filter((name) => context.netns.has(name)),
    sysctls: new Map(sysctls.flatMap((key) => present(key, context.sysctls.read(key)))),
  };
}

async function hasTable(netfilter: NetlinkClient): Promise<boolean> {
  try {
    await netfilter.get(getTable(OUR_TABLE));
    return true;
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENOENT') return false;
    throw error;
  }
}

const observedLink = (link: Link, names: ReadonlyMap<number, string>): ObservedLink => ({
  ifname: link.ifname,
  ifindex: link.ifindex,
  kind: link.tunMode ?? link.kind ?? '',
  alias: link.alias,
  mac: link.mac,
  mtu: link.mtu,
  up: isUp(link),
  multicast: isMulticast(link),
  master: link.master === null ? null : (names.get(link.master) ?? null),
});

/** Nothing for kinds that we never make. */
function observedRoute(seen: SeenRoute, names: ReadonlyMap<number, string>): readonly Route[] {
  const { kind, dst, src, table, metric } = seen;
  if (kind !== 'unicast' && kind !== 'blackhole' && kind !== 'throw') return [];
  // IPv6 shows lo as the way of what leads nowhere.
  const [hop] = kind === 'unicast' ? seen.hops : [];
  const ifindex = hop?.ifindex ?? null;
  const dev = ifindex === null ? null : (names.get(ifindex) ?? null);
  return [{ kind, dst, via: hop?.via ?? null, dev, src, table, metric, onlink: hop?.onlink ?? false }];
}

const observedRule = (seen: SeenRule): Rule => ({
  family: seen.family,
  priority: seen.priority,
  fwmark: seen.fwmark,
  iif: seen.iif,
  oif: seen.oif,
  from: seen.from,
  to: seen.to,
  table: seen.table,
  suppressPrefixLength: seen.suppressPrefixLength,
});

const present = (key: string, value: string | null): readonly (readonly [string, string])[] =>
  value === null ? [] : [[key, value]];
