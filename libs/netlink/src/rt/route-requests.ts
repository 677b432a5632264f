import { u8, attribute, encode, optional, u16host, u32host, type Part } from '../codec/parts';
import { encodeIp, encodePrefix, familyNumber } from '../codec/ip';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../codec/message';

import type { NetlinkRequest, Query } from '../request';
import { decodeRoute } from './route';
import type { Hop, Route, RouteFacts } from './route';
import * as RTA from './rta';
import { RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE } from './types';

export interface NewRoute extends RouteFacts {
  readonly kind: keyof typeof RTA.KINDS;
  /** null for kinds that lead nowhere (blackhole, throw, unreachable, prohibit). */
  readonly hop: Hop | null;
}

/** EEXIST when the table has a route to that prefix with that metric. */
export const addRoute = (route: NewRoute): NetlinkRequest => ({
  label: () => `route.add ${words(route)}`,
  type: RTM_NEWROUTE,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: body(route, scopeOf(route)),
});

/** Adds, or takes the place of one to the same prefix with the same metric. */
export const replaceRoute = (route: NewRoute): NetlinkRequest => ({
  label: () => `route.replace ${words(route)}`,
  type: RTM_NEWROUTE,
  flags: NLM_F_CREATE | NLM_F_REPLACE,
  body: body(route, scopeOf(route)),
});

/** Of the one that is like it in all that is said; metric 0 means any. ESRCH when there is none. */
export const delRoute = (route: NewRoute): NetlinkRequest => ({
  label: () => `route.del ${words(route)}`,
  type: RTM_DELROUTE,
  flags: 0,
  body: body(route, RTA.RT_SCOPE_NOWHERE),
});

/** Both families; of one table or one protocol if so asked, which the kernel sorts out (Linux 4.20). */
export const dumpRoutes = ({ table = 0, protocol = 0 } = {}): Query<Route> => ({
  label: () => 'route.dump',
  type: RTM_GETROUTE,
  flags: 0,
  body: encode(
    u8(0, 0, 0, 0, RTA.RT_TABLE_UNSPEC, protocol, 0, 0),
    u32host(0),
    optional(table === 0 ? null : table, (number) => attribute(RTA.TABLE, u32host(number))),
  ),
  decode: (message) => {
    const route = decodeRoute(message);
    const isWanted =
      (table === 0 || route?.table === table) && (protocol === 0 || route?.protocol === protocol);
    return isWanted ? route : null;
  },
});

/** struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags. */
function body(route: NewRoute, scope: number): Uint8Array {
  const { family, address, length } = encodePrefix(route.dst);
  const flags = route.hop?.onlink ? RTA.RTNH_F_ONLINK : 0;
  return encode(
    u8(familyNumber(family), length, 0, 0, RTA.RT_TABLE_UNSPEC, route.protocol, scope, RTA.KINDS[route.kind]),
    u32host(flags),
    optional(length === 0 ? null : address, (bytes) => attribute(RTA.DST, bytes)),
    optional(route.hop?.via, (via) => gateway(family, via)),
    optional(route.hop?.ifindex, (ifindex) => attribute(RTA.OIF, u32host(ifindex))),
    optional(route.src, (src) => attribute(RTA.PREFSRC, encodeIp(src))),
    optional(route.metric === 0 ? null : route.metric, (metric) => attribute(RTA.PRIORITY, u32host(metric))),
    attribute(RTA.TABLE, u32host(route.table)),
  );
}

/** Of the other family (RFC 8950) it says so: struct rtvia, u16 family, then the address. */
function gateway(family: 'ipv4' | 'ipv6', via: string): Part {
  const own = via.includes(':') ? 'ipv6' : 'ipv4';
  return own === family
    ? attribute(RTA.GATEWAY, encodeIp(via))
    : attribute(RTA.VIA, u16host(familyNumber(own)), encodeIp(via));
}

/** As ip-route(8): what has no gateway is on the link. IPv6 does not care. */
const scopeOf = ({ kind, hop }: NewRoute): number =>
  kind === 'unicast' && hop !== null && hop.via === null ? RTA.RT_SCOPE_LINK : RTA.RT_SCOPE_UNIVERSE;

const words = ({ kind, dst, hop, table, metric }: NewRoute): string =>
  [
    ...(kind === 'unicast' ? [] : [kind]),
    dst,
    ...(hop?.via ? [`via ${hop.via}`] : []),
    ...(hop?.ifindex ? [`dev #${hop.ifindex}`] : []),
    `table ${table} metric ${metric}`,
  ].join(' ');
