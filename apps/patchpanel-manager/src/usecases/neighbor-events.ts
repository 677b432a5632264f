import { refuse, type Checked, type Refusal } from '@pp/base';
import { ipv6FromBytes } from '@pp/wire';
import { decided, type Decision } from '../domain/decision';
import { forwardingOfGuest, type ForwardingPair } from '../domain/forwarding';
import type { Guest, Neighbor } from '../domain/guest';
import {
  guestNamed,
  holderOf,
  isRoutableIpv6,
  serves,
  withNeighbor,
  withoutNeighbor,
} from '../domain/neighbors';
import { quoted } from '../domain/quoted';
import type { World } from '../domain/world';

/** What a helper says of a guest: it holds this address on that link of ours, behind that uplink. */
export interface NeighborEvent {
  readonly ifname: string;
  readonly address: Uint8Array;
  readonly upstream: string;
}

/** Told again, nothing changes. An address that another guest had has moved. */
export function neighborDetected(world: World, event: NeighborEvent): Checked<Decision<null>> {
  const neighbor = neighborOf(event);
  if (!neighbor.ok) return neighbor;
  const guest = guestServed(world, neighbor.value);
  if (!guest.ok) return guest;
  if (holderOf(world, neighbor.value) !== undefined) return decided(world, null);
  return decided(withNeighbor(world, guest.value, neighbor.value), null);
}

/** What is not there is lost already: the guest may have gone first. */
export function neighborLost(world: World, event: NeighborEvent): Checked<Decision<null>> {
  const neighbor = neighborOf(event);
  if (!neighbor.ok) return neighbor;
  const holder = holderOf(world, neighbor.value);
  const next = holder === undefined ? world : withoutNeighbor(world, holder, neighbor.value);
  return { ok: true, value: { world: next, reply: null, goOn: true } };
}

function neighborOf({ ifname, address, upstream }: NeighborEvent): Checked<Neighbor> {
  if (address.length !== 16)
    return refuse('InvalidArgument', `address has ${address.length} bytes: IPv6 has 16`);
  const text = ipv6FromBytes(address);
  if (isRoutableIpv6(address)) return { ok: true, value: { ifname, address: text, upstream } };
  return refuse('InvalidArgument', `address ${text} is not one of 2000::/3 or fc00::/7`);
}

function guestServed(world: World, neighbor: Neighbor): Checked<Guest> {
  const guest = guestNamed(world, 'link', neighbor.ifname);
  const pairs = guest === undefined ? [] : forwardingOfGuest(guest, world.uplinks);
  return guest !== undefined && pairs.some((pair) => serves(pair, neighbor))
    ? { ok: true, value: guest }
    : notServed(pairs, neighbor);
}

function notServed(pairs: readonly ForwardingPair[], { ifname, upstream }: Neighbor): Refusal {
  const pair = pairs.find(({ downstream }) => downstream === ifname);
  const now =
    pair === undefined
      ? `${quoted(ifname)} is no guest's link that forwards anything now`
      : pair.ipv6
        ? `${ifname} goes with ${pair.upstream} now, not with ${quoted(upstream)}`
        : `${ifname} has no neighbour discovery now`;
  return refuse('NotFound', `${now}; ask GetForwarding`);
}
