import type { Part, Route } from '@pp/datapath';
import { MAIN_TABLE } from '@pp/datapath';
import { cidrContains, hostCidr, isLinkLocalIpv6, parseCidr, parseIpv6, type Cidr } from '@pp/wire';
import { forwardingOfGuest, type ForwardingPair } from './forwarding';
import { neighborsOf, type Guest, type Neighbor } from './guest';
import { nameOf } from './held';
import type { Uplink } from './uplink';
import { withChangedGuests, withGuest, type World } from './world';

/** Of one guest: more addresses than a host with privacy extensions holds at a time. */
export const MAX_NEIGHBORS = 64;

/** What IPv6 takes 0 for, IP6_RT_PRIO_USER of linux/ipv6_route.h. */
const METRIC = 1024;

/** 2000::/3 (RFC 4291 §2.4) and fc00::/7 (RFC 4193): what a host route may be made for. */
export function isRoutableIpv6(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  return address.length === 16 && ((first & 0xe0) === 0x20 || (first & 0xfe) === 0xfc);
}

/** The guest that has this neighbour. */
export function holderOf(world: World, { ifname, address, upstream }: Neighbor): Guest | undefined {
  const guest = guestNamed(world, 'neighbor', address);
  const isHeld =
    guest !== undefined &&
    neighborsOf(guest).some(
      (each) => each.address === address && each.ifname === ifname && each.upstream === upstream,
    );
  return isHeld ? guest : undefined;
}

/** The guest that has this link of the host's, or this neighbour's address. */
export function guestNamed(
  { guests, held }: World,
  what: 'link' | 'neighbor',
  which: string,
): Guest | undefined {
  const key = held.names.get(nameOf(what, which));
  return key === undefined ? undefined : guests.get(key);
}

/** `world` whose `guest` has this neighbour, and no other guest has its address; the oldest leaves where there are too many. */
export function withNeighbor(world: World, guest: Guest, neighbor: Neighbor): World {
  const { address } = neighbor;
  const before = guestNamed(world, 'neighbor', address);
  const moved = before === undefined || before === guest ? [] : [without(address, before)];
  const neighbors = [...neighborsOf(without(address, guest)), neighbor].slice(-MAX_NEIGHBORS);
  return withChangedGuests(world, [...moved, { ...guest, neighbors }]);
}

export const withoutNeighbor = (world: World, guest: Guest, { address }: Neighbor): World =>
  withGuest(world, without(address, guest));

const without = (address: string, guest: Guest): Guest => keeping(guest, (each) => each.address !== address);

/** `world` without the neighbours whose pair is no more: another upstream has another prefix. */
export function withNeighborsFollowing(world: World): World {
  const changed = [...world.guests.values()].flatMap((guest) => {
    if (neighborsOf(guest).length === 0) return [];
    const pairs = forwardingOfGuest(guest, world.uplinks);
    const followed = keeping(guest, (neighbor) => pairs.some((pair) => serves(pair, neighbor)));
    return followed === guest ? [] : [followed];
  });
  return changed.length === 0 ? world : withChangedGuests(world, changed);
}

/** The pair relays neighbour discovery for this neighbour's link. */
export const serves = (pair: ForwardingPair, { ifname, upstream }: Neighbor): boolean =>
  pair.ipv6 && pair.downstream === ifname && pair.upstream === upstream;

/** `part` of a guest with a route to each of its neighbours: nobody else could tell that they are not on the upstream's link. */
export function withNeighborRoutes(part: Part, guest: Guest, uplinks: readonly Uplink[]): Part {
  const neighbors = neighborsOf(guest);
  if (neighbors.length === 0) return part;
  const own = new Map(uplinks.map(({ ifname, addresses }) => [ifname, addresses.flatMap(globalIpv6)]));
  const routes = neighbors.map((neighbor) => routeTo(neighbor, own.get(neighbor.upstream) ?? []));
  return { ...part, routes: [...part.routes, ...routes] };
}

/** The same guest where all neighbours are kept. */
function keeping(guest: Guest, isKept: (neighbor: Neighbor) => boolean): Guest {
  const before = neighborsOf(guest);
  const neighbors = before.filter(isKept);
  return neighbors.length === before.length ? guest : { ...guest, neighbors };
}

const routeTo = ({ ifname, address }: Neighbor, own: readonly Cidr[]): Route => ({
  kind: 'unicast',
  dst: `${address}/128`,
  via: null,
  dev: ifname,
  src: sourceFor(address, own),
  table: MAIN_TABLE,
  metric: METRIC,
  onlink: false,
});

/** The host's own address towards a neighbour: one of its upstream's that shares its prefix, else any that reaches beyond the link. */
function sourceFor(neighbor: string, own: readonly Cidr[]): string | null {
  const address = parseIpv6(neighbor);
  const near = address === null ? undefined : own.find((cidr) => cidrContains(cidr, hostCidr(address)));
  return (near ?? own[0])?.address ?? null;
}

/** What reaches beyond the link, of an uplink's addresses: none or itself. */
function globalIpv6(text: string): readonly Cidr[] {
  const cidr = parseCidr(text);
  return cidr?.family === 'ipv6' && !isLinkLocalIpv6(cidr.address) ? [cidr] : [];
}
