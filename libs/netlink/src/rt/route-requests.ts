import { attribute, encode, optional, u32host, u8 } from '../codec/parts';
import { encodeIp, encodePrefix, familyNumber } from '../codec/ip';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../codec/message';
import type { Writer } from '../codec/writer';
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

/** Both families; of one table or one protocol if so asked, which the kernel sorts out (Linux 4.20). `crowd`: see Query. */
export const dumpRoutes = ({ table = 0, protocol = 0, crowd }: RouteDump = {}): Query<Route> => ({
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
  ...(crowd === undefined ? {} : { crowd }),
});

interface RouteDump extends Pick<Query<Route>, 'crowd'> {
  readonly table?: number;
  readonly protocol?: number;
}

/** struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags. */
const body = ({ dst, hop, src, table, metric, protocol, kind }: NewRoute, scope: number): Uint8Array =>
  encode((out) => {
    const { family, address, length } = encodePrefix(dst);
    out.u8(familyNumber(family));
    out.u8(length);
    out.u8(0);
    out.u8(0);
    out.u8(RTA.RT_TABLE_UNSPEC);
    out.u8(protocol);
    out.u8(scope);
    out.u8(RTA.KINDS[kind]);
    out.u32host(hop?.onlink ? RTA.RTNH_F_ONLINK : 0);
    if (length > 0) out.bytesAttribute(RTA.DST, address);
    if (hop !== null) putHop(out, family, hop);
    if (src !== null) out.bytesAttribute(RTA.PREFSRC, encodeIp(src));
    if (metric !== 0) out.u32hostAttribute(RTA.PRIORITY, metric);
    out.u32hostAttribute(RTA.TABLE, table);
  });

/** A gateway of the other family (RFC 8950) says so: struct rtvia, u16 family, then the address. */
function putHop(out: Writer, family: 'ipv4' | 'ipv6', { via, ifindex }: Hop): void {
  if (via !== null) {
    const own = via.includes(':') ? 'ipv6' : 'ipv4';
    const gateway = out.open(own === family ? RTA.GATEWAY : RTA.VIA);
    if (own !== family) out.u16host(familyNumber(own));
    out.bytes(encodeIp(via));
    out.close(gateway);
  }
  if (ifindex !== null) out.u32hostAttribute(RTA.OIF, ifindex);
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
