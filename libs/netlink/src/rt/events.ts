import type { NetlinkClient } from '../client';
import type { NetlinkMessage } from '../codec/message';
import type { Subject } from '../monitor';
import { decodeAddress, dumpAddresses } from './address';
import type { Address } from './address';
import { decodeLink } from './link';
import type { Link } from './link';
import { dumpLinks } from './link-requests';
import { decodeNeighbor, dumpNeighbors } from './neighbor';
import type { Neighbor } from './neighbor';
import { decodeNexthop, withHops } from './nexthop';
import type { Nexthop } from './nexthop';
import { decodeRoute } from './route';
import type { Route } from './route';
import { dumpRoutes } from './route-requests';
import { decodeRule, dumpRules } from './rule';
import type { Rule } from './rule';
import * as RT from './types';

/** One object came, changed or went. */
export type RouteEvent =
  | { readonly on: 'link'; readonly change: 'new' | 'del'; readonly link: Link }
  | { readonly on: 'address'; readonly change: 'new' | 'del'; readonly address: Address }
  | { readonly on: 'route'; readonly change: 'new' | 'del'; readonly route: Route }
  | { readonly on: 'rule'; readonly change: 'new' | 'del'; readonly rule: Rule }
  | { readonly on: 'nexthop'; readonly change: 'new' | 'del'; readonly nexthop: Nexthop }
  | { readonly on: 'neighbor'; readonly change: 'new' | 'del'; readonly neighbor: Neighbor };

/** All objects of the kinds watched, routes with their hops; the others are empty. */
export interface RouteSnapshot {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly neighbors: readonly Neighbor[];
}

const GROUPS = {
  link: [RT.RTNLGRP_LINK],
  address: [RT.RTNLGRP_IPV4_IFADDR, RT.RTNLGRP_IPV6_IFADDR],
  route: [RT.RTNLGRP_IPV4_ROUTE, RT.RTNLGRP_IPV6_ROUTE],
  rule: [RT.RTNLGRP_IPV4_RULE, RT.RTNLGRP_IPV6_RULE],
  nexthop: [RT.RTNLGRP_NEXTHOP],
  neighbor: [RT.RTNLGRP_NEIGH],
} as const;

export type RouteTopic = keyof typeof GROUPS;

/** Links, addresses, ... of a namespace, as the subject of a Monitor. `table`: snapshots have routes of this one only. */
export const routeSubject = (
  topics: readonly RouteTopic[],
  { table = 0 } = {},
): Subject<RouteSnapshot, RouteEvent> => ({
  groups: topics.flatMap((topic) => GROUPS[topic]),
  decode: decodeRouteEvent,
  snapshot: async (client: NetlinkClient) => ({
    links: topics.includes('link') ? await client.dump(dumpLinks()) : [],
    addresses: topics.includes('address') ? await client.dump(dumpAddresses()) : [],
    routes: topics.includes('route') ? await withHops(client, await client.dump(dumpRoutes({ table }))) : [],
    rules: topics.includes('rule') ? await client.dump(dumpRules()) : [],
    neighbors: topics.includes('neighbor') ? await client.dump(dumpNeighbors()) : [],
  }),
});

/** null: about something else. Throws MalformedError. */
export function decodeRouteEvent(message: NetlinkMessage): RouteEvent | null {
  switch (message.type) {
    case RT.RTM_NEWLINK:
    case RT.RTM_DELLINK: {
      const link = decodeLink(message);
      return link && { on: 'link', change: message.type === RT.RTM_NEWLINK ? 'new' : 'del', link };
    }
    case RT.RTM_NEWADDR:
    case RT.RTM_DELADDR: {
      const address = decodeAddress(message);
      return address && { on: 'address', change: message.type === RT.RTM_NEWADDR ? 'new' : 'del', address };
    }
    case RT.RTM_NEWROUTE:
    case RT.RTM_DELROUTE: {
      const route = decodeRoute(message);
      return route && { on: 'route', change: message.type === RT.RTM_NEWROUTE ? 'new' : 'del', route };
    }
    case RT.RTM_NEWRULE:
    case RT.RTM_DELRULE: {
      const rule = decodeRule(message);
      return rule && { on: 'rule', change: message.type === RT.RTM_NEWRULE ? 'new' : 'del', rule };
    }
    case RT.RTM_NEWNEXTHOP:
    case RT.RTM_DELNEXTHOP: {
      const nexthop = decodeNexthop(message);
      return (
        nexthop && { on: 'nexthop', change: message.type === RT.RTM_NEWNEXTHOP ? 'new' : 'del', nexthop }
      );
    }
    case RT.RTM_NEWNEIGH:
    case RT.RTM_DELNEIGH: {
      const neighbor = decodeNeighbor(message);
      return (
        neighbor && { on: 'neighbor', change: message.type === RT.RTM_NEWNEIGH ? 'new' : 'del', neighbor }
      );
    }
    default:
      return null;
  }
}
