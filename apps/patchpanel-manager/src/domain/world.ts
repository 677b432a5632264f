import { SharedMap } from '@pp/base';
import type { LocalSources, Pools } from '@pp/datapath';
import type { DnsRule } from './dns-rules';
import { guestKey, type Guest, type Namespace } from './guest';
import { heldAfter, nameOf, NOTHING_HELD, type Held } from './held';
import type { OwnedPortRule } from './port-rules';
import type { Uplink } from './uplink';

/** All that the manager knows; immutable. What the kernel should look like follows from it (desired.ts). */
export interface World {
  readonly pools: Pools;
  /** By guestKey, in order of arrival. BOUNDED by the address pools. */
  readonly guests: SharedMap<string, Guest>;
  /** By these guests. */
  readonly held: Held;
  /** N of the next namespace; never used twice while the journal lives. */
  readonly nextNamespace: number;
  /** The interfaces to the outside that are there now, best first. */
  readonly uplinks: readonly Uplink[];
  /** Uplinks asked for by name that are not there now. */
  readonly awaited: readonly string[];
  /** Names of the form vmtapN that are taken by links that are not ours. */
  readonly foreignTaps: readonly string[];
  /** Value of each sysctl of interest before we touched it; null: this kernel has no such key. */
  readonly originals: ReadonlyMap<string, string | null>;
  /** By portRuleKey. BOUNDED by the quotas of all owners. */
  readonly portRules: SharedMap<string, OwnedPortRule>;
  /** By dnsRuleKey, the newest last. BOUNDED by the quotas of all owners. */
  readonly dnsRules: SharedMap<string, DnsRule>;
  /** N of the next DNS redirection; never used twice while the journal lives. */
  readonly nextDnsRule: number;
  /** uid of the person in front of the host; null: there is no such user. */
  readonly sessionUser: number | null;
  /** Lifelines that can be watched at once. */
  readonly mostLifelines: number;
  /** What wants a VPN and would leave by anything else is rejected. */
  readonly vpnLockdown: boolean;
  /** The lowest priority of other people's routing rules that every packet meets; null: none that matters. */
  readonly foreignRule: number | null;
  /** Fixed at start; null: the host's own traffic is nobody's in particular. */
  readonly localSources: LocalSources | null;
  /** Fixed at start: the kernel takes nothing of IPv6. */
  readonly withoutIpv6: boolean;
}

export const emptyWorld = (pools: Pools, sessionUser: number | null = null, mostLifelines = 1024): World => ({
  pools,
  guests: SharedMap.of(),
  held: NOTHING_HELD,
  nextNamespace: 0,
  uplinks: [],
  awaited: [],
  foreignTaps: [],
  originals: new Map(),
  portRules: SharedMap.of(),
  dnsRules: SharedMap.of(),
  nextDnsRule: 0,
  sessionUser,
  mostLifelines,
  vpnLockdown: false,
  foreignRule: null,
  localSources: null,
  withoutIpv6: false,
});

/** `world` with these guests and no others. */
export const withAllGuests = (world: World, guests: readonly Guest[]): World =>
  withGuests(
    world,
    SharedMap.of(guests.map((guest) => [guestKey(guest), guest])),
    heldAfter(NOTHING_HELD, [], guests),
  );

/** `world` with one guest more, or the guest of that key replaced. */
export function withGuest(world: World, guest: Guest): World {
  const key = guestKey(guest);
  const before = world.guests.get(key);
  return withGuests(
    world,
    world.guests.changed([[key, guest]]),
    heldAfter(world.held, before === undefined ? [] : [before], [guest]),
  );
}

/** `world` with one namespace more, which takes its number. */
export const withNewNamespace = (world: World, guest: Namespace): World =>
  withGuests(
    world,
    world.guests.changed([[guestKey(guest), guest]]),
    heldAfter(world.held, [], [guest]),
    guest.number + 1,
  );

/** Field by field: V8 takes ten times as long, 10 us, for a spread of so many. */
const withGuests = (
  world: World,
  guests: World['guests'],
  held: Held,
  nextNamespace = world.nextNamespace,
): World => ({
  pools: world.pools,
  guests,
  held,
  nextNamespace,
  uplinks: world.uplinks,
  awaited: world.awaited,
  foreignTaps: world.foreignTaps,
  originals: world.originals,
  portRules: world.portRules,
  dnsRules: world.dnsRules,
  nextDnsRule: world.nextDnsRule,
  sessionUser: world.sessionUser,
  mostLifelines: world.mostLifelines,
  vpnLockdown: world.vpnLockdown,
  foreignRule: world.foreignRule,
  localSources: world.localSources,
  withoutIpv6: world.withoutIpv6,
});

/** `world` without these guests, each named once; keys that are not there are nothing. */
export function withoutGuests(world: World, keys: readonly string[]): World {
  const gone = keys.flatMap((key) => world.guests.get(key) ?? []);
  return gone.length === 0
    ? world
    : withGuests(world, world.guests.changed([], keys), heldAfter(world.held, gone, []));
}

/** `world` without these DNS redirections; keys that are not there are nothing. */
export const withoutDnsRules = (world: World, keys: readonly string[]): World =>
  keys.some((key) => world.dnsRules.has(key))
    ? { ...world, dnsRules: world.dnsRules.changed([], keys) }
    : world;

/** Guests of `world` that `other` has not, or has otherwise; a guest that is the same is the same object. */
export const guestsThatDiffer = ({ guests }: World, other: World): readonly Guest[] =>
  guests.beside(other.guests).map(([, guest]) => guest);

/** Something that observers are told of is in `from` and not, or otherwise, in `to`: not where guests only come. */
export const takesAway = (from: World, to: World): boolean =>
  from.uplinks !== to.uplinks || from.portRules !== to.portRules || guestsThatDiffer(from, to).length > 0;

export const isMacHeld =
  ({ held }: World) =>
  (mac: string): boolean =>
    held.names.has(nameOf('mac', mac));

/** The `count` lowest names vmtapN that no link has, as the kernel itself would number them. */
export function freeTaps({ held, foreignTaps }: World, count: number): readonly string[] {
  const foreign = new Set(foreignTaps);
  const free: string[] = [];
  for (let n = 0; free.length < count; n++) {
    const tap = `vmtap${n}`;
    if (!foreign.has(tap) && !held.names.has(nameOf('tap', tap))) free.push(tap);
  }
  return free;
}
