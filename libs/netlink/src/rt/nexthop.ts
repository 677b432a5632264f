import type { NetlinkClient } from '../client';
import { Attributes } from '../codec/attributes';
import { decodeIp } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { readU32host } from '../codec/numbers';
import type { Query } from '../request';
import type { Hop, Route } from './route';
import { RTNH_F_ONLINK } from './rta';
import { RTM_DELNEXTHOP, RTM_GETNEXTHOP, RTM_NEWNEXTHOP } from './types';

/** A nexthop object (ip-nexthop(8)), which routes share by its id. */
export interface Nexthop {
  readonly id: number;
  /** null: it is a group, or packets end there. */
  readonly hop: Hop | null;
  /** Ids of those that a group is made of, which are never groups themselves. */
  readonly group: readonly number[];
}

// linux/nexthop.h, NHA_*
const NHA_ID = 1;
const NHA_GROUP = 2;
const NHA_OIF = 5;
const NHA_GATEWAY = 6;
/** struct nhmsg: u8 family, scope, protocol, reserved; u32 flags. */
const NHMSG = 8;
/** struct nexthop_grp: u32 id, u8 weight - 1, three bytes more. */
const NEXTHOP_GRP = 8;

/** EOPNOTSUPP where the kernel has none (before Linux 5.3). */
export const dumpNexthops = (): Query<Nexthop> => ({
  label: () => 'nexthop.dump',
  type: RTM_GETNEXTHOP,
  flags: 0,
  body: new Uint8Array(NHMSG),
  decode: decodeNexthop,
});

/** null: another message. Throws MalformedError. */
export function decodeNexthop({ type, body }: NetlinkMessage): Nexthop | null {
  if (type !== RTM_NEWNEXTHOP && type !== RTM_DELNEXTHOP) return null;
  if (body.length < NHMSG) throw new MalformedError(`nexthop message of ${body.length} bytes`);
  const attributes = new Attributes(body, NHMSG);
  const id = attributes.u32host(NHA_ID);
  if (id === null) throw new MalformedError('nexthop message without an id');
  const ifindex = attributes.u32host(NHA_OIF);
  const gateway = attributes.bytes(NHA_GATEWAY);
  return {
    id,
    hop:
      ifindex === null
        ? null
        : {
            via: gateway === null ? null : decodeIp(gateway),
            ifindex,
            onlink: (readU32host(body, 4) & RTNH_F_ONLINK) !== 0,
          },
    group: [...membersOf(attributes.bytes(NHA_GROUP) ?? new Uint8Array(0))],
  };
}

function* membersOf(group: Uint8Array): Generator<number> {
  if (group.length % NEXTHOP_GRP !== 0) throw new MalformedError(`nexthop group of ${group.length} bytes`);
  for (let at = 0; at < group.length; at += NEXTHOP_GRP) yield readU32host(group, at);
}

/** The same routes, each with its hops: under net.ipv4.nexthop_compat_mode=0 the kernel tells the id of a nexthop object alone. */
export async function withHops(client: NetlinkClient, routes: readonly Route[]): Promise<readonly Route[]> {
  if (!routes.some(isByIdAlone)) return routes;
  const nexthops = new Map((await client.dump(dumpNexthops())).map((nexthop) => [nexthop.id, nexthop]));
  return routes.map((route) =>
    isByIdAlone(route) ? { ...route, hops: hopsOf(nexthops, route.nexthopId) } : route,
  );
}

/** Its hops are those of a nexthop object, and not told. */
export const isByIdAlone = (route: Route): route is Route & { readonly nexthopId: number } =>
  route.nexthopId !== undefined && route.hops.length === 0;

function hopsOf(nexthops: ReadonlyMap<number, Nexthop>, id: number): readonly Hop[] {
  const ids = [id, ...(nexthops.get(id)?.group ?? [])];
  return ids.flatMap((one) => nexthops.get(one)?.hop ?? []);
}
