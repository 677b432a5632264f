import { Attributes } from '../codec/attributes';
import { decodeIp, decodePrefix, familyName } from '../codec/ip';
import type { Family } from '@pp/wire';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { align4, readS32host, readU16host, readU32host, readU8 } from '../codec/numbers';
import * as RTA from './rta';
import { RTM_DELROUTE, RTM_NEWROUTE } from './types';

export type RouteKind = keyof typeof RTA.KINDS | 'other';

/** A next hop: a gateway, an interface, or both. */
export interface Hop {
  readonly via: string | null;
  readonly ifindex: number | null;
  /** The gateway is reachable on the interface although no prefix covers it (RTNH_F_ONLINK). */
  readonly onlink: boolean;
}

/** What names and describes a route, its next hops aside. */
export interface RouteFacts {
  readonly kind: RouteKind;
  /** The default routes are "0.0.0.0/0" and "::/0". */
  readonly dst: string;
  /** Preferred source address. */
  readonly src: string | null;
  readonly table: number;
  /** RTA_PRIORITY. The kernel turns an IPv6 0 into 1024. */
  readonly metric: number;
  /** rtm_protocol, who made it: 2 kernel, 3 boot, 4 static, 9 router advertisement, 16 DHCP. */
  readonly protocol: number;
}

/** A route as the kernel shows it. */
export interface Route extends RouteFacts {
  readonly family: Family;
  readonly hops: readonly Hop[];
  /** Of the nexthop object whose hops these are; under net.ipv4.nexthop_compat_mode=0 the hops are not told (`withHops`). */
  readonly nexthopId?: number;
}

const KIND_NAMES = new Map<number, RouteKind>(
  Object.entries(RTA.KINDS).map(([name, number]) => [number, name as RouteKind]),
);

/** Of a route message, without a look at its attributes; the body has sizeof(struct rtmsg) at least, as `decodeRoute` has it. */
export const routeHeader = ({
  body,
}: NetlinkMessage): { readonly prefixLength: number; readonly protocol: number } => ({
  prefixLength: readU8(body, 1),
  protocol: readU8(body, 5),
});

/** null: not an Internet route, or a cached clone of one. Throws MalformedError. */
export function decodeRoute({ type, body }: NetlinkMessage): Route | null {
  if (type !== RTM_NEWROUTE && type !== RTM_DELROUTE) return null;
  if (body.length < RTA.RTMSG) throw new MalformedError(`route message of ${body.length} bytes`);
  const family = familyName(readU8(body, 0));
  const flags = readU32host(body, 8);
  if (family === null || (flags & RTA.RTM_F_CLONED) !== 0) return null;
  const attributes = new Attributes(body, RTA.RTMSG);
  const src = attributes.bytes(RTA.PREFSRC);
  const nexthopId = attributes.u32host(RTA.NH_ID);
  return {
    family,
    kind: KIND_NAMES.get(readU8(body, 7)) ?? 'other',
    dst: decodePrefix(family, attributes.bytes(RTA.DST), readU8(body, 1)),
    src: src === null ? null : decodeIp(src),
    table: attributes.u32host(RTA.TABLE) ?? readU8(body, 4),
    metric: attributes.u32host(RTA.PRIORITY) ?? 0,
    protocol: readU8(body, 5),
    hops: hops(attributes, flags),
    ...(nexthopId === null ? {} : { nexthopId }),
  };
}

function hops(attributes: Attributes, flags: number): readonly Hop[] {
  const multipath = attributes.bytes(RTA.MULTIPATH);
  if (multipath !== null) return [...multipathHops(multipath)];
  const via = gateway(attributes);
  const ifindex = attributes.u32host(RTA.OIF);
  return via === null && ifindex === null
    ? []
    : [{ via, ifindex, onlink: (flags & RTA.RTNH_F_ONLINK) !== 0 }];
}

/** struct rtnexthop: u16 len, u8 flags, u8 weight - 1, s32 ifindex; then attributes. */
function* multipathHops(bytes: Uint8Array): Generator<Hop> {
  for (let at = 0; at < bytes.length;) {
    const length = at + RTA.RTNEXTHOP <= bytes.length ? readU16host(bytes, at) : 0;
    if (length < RTA.RTNEXTHOP || at + length > bytes.length)
      throw new MalformedError(`next hop of ${length} bytes`);
    yield {
      via: gateway(new Attributes(bytes.subarray(at, at + length), RTA.RTNEXTHOP)),
      ifindex: readS32host(bytes, at + 4),
      onlink: (readU8(bytes, at + 2) & RTA.RTNH_F_ONLINK) !== 0,
    };
    at += align4(length);
  }
}

function gateway(attributes: Attributes): string | null {
  const same = attributes.bytes(RTA.GATEWAY);
  if (same !== null) return decodeIp(same);
  const other = attributes.bytes(RTA.VIA); // u16 family, then the address: an IPv4 route by an IPv6 gateway
  return other === null ? null : decodeIp(other.subarray(2));
}
