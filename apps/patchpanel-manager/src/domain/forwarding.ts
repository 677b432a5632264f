import { arcBridgeName, leadsOut, namespaceNames } from '@pp/datapath';
import type { Guest } from './guest';
import type { Uplink } from './uplink';
import { changeOf, type Change } from './change';
import { guestsThatDiffer, type World } from './world';

/** What helpers relay between an uplink and a link to a guest. A pair with none of the three does not exist. */
export interface ForwardingPair {
  readonly upstream: string;
  /** As packets of the guest come in: a bridge, not its port. */
  readonly downstream: string;
  /** Neighbour discovery. */
  readonly ipv6: boolean;
  /** mDNS and SSDP. */
  readonly multicast: boolean;
  /** IPv4 broadcasts. */
  readonly broadcast: boolean;
}

/** The uplinks that unpinned guests follow. */
export interface Defaults {
  /** Holds the best default route, a VPN too. */
  readonly logical: Uplink | undefined;
  /** The best that is no VPN. */
  readonly physical: Uplink | undefined;
}

export function defaultsOf(uplinks: readonly Uplink[]): Defaults {
  const routed = uplinks.filter(leadsOut);
  return { logical: routed[0], physical: routed.find(({ kind }) => kind !== 'vpn') };
}

/** All pairs of a world, by guest; spec 4.4. */
export const forwardingOf = ({
  guests,
  uplinks,
}: Pick<World, 'guests' | 'uplinks'>): readonly ForwardingPair[] => pairsOfAll([...guests.values()], uplinks);

/** The pairs of one guest. */
export const forwardingOfGuest = (guest: Guest, uplinks: readonly Uplink[]): readonly ForwardingPair[] =>
  pairsOfAll([guest], uplinks);

/** What a change of the world does to the pairs; guests that it does not touch are passed over. */
export const forwardingChange = (from: World, to: World): Change<ForwardingPair> =>
  changeOf(pairsThatDiffer(from, to), pairsThatDiffer(to, from));

function pairsThatDiffer(world: World, other: World): readonly ForwardingPair[] {
  const { guests, uplinks } = world;
  const isSame = uplinks === other.uplinks || waysText(uplinks) === waysText(other.uplinks);
  const differing = isSame ? guestsThatDiffer(world, other) : [...guests.values()];
  return differing.length === 0 ? [] : pairsOfAll(differing, uplinks);
}

/** All of uplinks that pairs are made of: their addresses and routes come and go more often. */
const waysText = (uplinks: readonly Uplink[]): string =>
  JSON.stringify(uplinks.map((each) => [each.ifname, each.kind, each.multicast, leadsOut(each)]));

function pairsOfAll(guests: readonly Guest[], uplinks: readonly Uplink[]): readonly ForwardingPair[] {
  const defaults = defaultsOf(uplinks);
  return guests.flatMap((guest) => pairsOf(guest, uplinks, defaults));
}

function pairsOf(
  guest: Guest,
  uplinks: readonly Uplink[],
  { logical, physical }: Defaults,
): readonly ForwardingPair[] {
  const named = (ifname: string): Uplink | undefined => uplinks.find((uplink) => uplink.ifname === ifname);
  switch (guest.kind) {
    case 'namespace': {
      const { egress, number } = guest;
      const pinned = egress.kind === 'uplink' ? named(egress.ifname) : undefined;
      const upstream = egress.kind === 'uplink' ? pinned : egress.kind === 'user' ? logical : physical;
      return pair(upstream, namespaceNames(number).host, 'ipv6 only');
    }
    case 'termina':
    case 'plugin':
      return pair(logical, guest.tap, 'all');
    case 'arc':
      return guest.devices.flatMap(({ uplink }) => pair(named(uplink), arcBridgeName(uplink), 'all'));
  }
}

function pair(
  upstream: Uplink | undefined,
  downstream: string,
  what: 'all' | 'ipv6 only',
): readonly ForwardingPair[] {
  if (upstream === undefined) return [];
  const ipv6 = upstream.kind !== 'vpn';
  const multicast = what === 'all' && upstream.multicast;
  return ipv6 || multicast
    ? [{ upstream: upstream.ifname, downstream, ipv6, multicast, broadcast: multicast }]
    : [];
}
