import { ARC_BRIDGE, ROUTE_PROTOCOL } from '@pp/datapath';
import type { Address, Link, Op, Route } from '@pp/datapath';
import { addAddress, addRoute, addRule, delAddress, delRoute, delRule, setLink } from '@pp/netlink';
import type { NetlinkRequest, NewRoute } from '@pp/netlink';

export type ConfigureOp = Extract<
  Op,
  { do: 'link.set' | 'address.add' | 'address.del' | 'route.add' | 'route.del' | 'rule.add' | 'rule.del' }
>;

/** Names to ifindexes; throws KernelError for a name that no link has, or none of ours where it must be. */
export type Resolve = (ifname: string, whose: 'ours' | 'any') => number;

/** Interfaces that the step names. */
export function ifnamesIn(op: ConfigureOp): readonly string[] {
  switch (op.do) {
    case 'link.set':
      return op.link.master === null ? [op.link.ifname] : [op.link.ifname, op.link.master];
    case 'address.add':
    case 'address.del':
      return [op.address.ifname];
    case 'route.add':
    case 'route.del':
      return op.route.dev === null ? [] : [op.route.dev];
    case 'rule.add':
    case 'rule.del':
      return []; // rules keep names, not ifindexes
  }
}

/** The one message that does the step. */
export function requestOf(op: ConfigureOp, resolve: Resolve): NetlinkRequest {
  switch (op.do) {
    case 'link.set':
      return setLink(resolve(op.link.ifname, 'ours'), attributesOf(op.link, resolve));
    case 'address.add':
      return addAddress(resolve(op.address.ifname, 'ours'), op.address.cidr, marksOf(op.address));
    case 'address.del':
      return delAddress(resolve(op.address.ifname, 'ours'), op.address.cidr);
    case 'route.add':
      return addRoute(newRoute(op.route, resolve));
    case 'route.del':
      return delRoute(newRoute(op.route, resolve));
    case 'rule.add':
      return addRule({ ...op.rule, protocol: ROUTE_PROTOCOL });
    case 'rule.del':
      return delRule({ ...op.rule, protocol: ROUTE_PROTOCOL });
  }
}

/** Whoever watches the host's network hears of no address that is marked as ours: that of Android's bridge is of interest (`isHidden`). */
const marksOf = ({ ifname }: Address): { readonly protocol?: number } =>
  ifname === ARC_BRIDGE ? {} : { protocol: ROUTE_PROTOCOL };

/** What of a link can be changed while it lives; every link of ours is up. */
export const attributesOf = (
  { mac, mtu, multicast, master }: Link,
  resolve: Resolve,
): { mac: string | null; mtu: number | null; multicast: boolean; master: number; up: true } => ({
  mac,
  mtu,
  multicast,
  master: master === null ? 0 : resolve(master, 'any'),
  up: true,
});

function newRoute(route: Route, resolve: Resolve): NewRoute {
  const { kind, dst, via, dev, src, table, metric, onlink } = route;
  const hop =
    via === null && dev === null ? null : { via, ifindex: dev === null ? null : resolve(dev, 'any'), onlink };
  return { kind, dst, src, table, metric, protocol: ROUTE_PROTOCOL, hop };
}
