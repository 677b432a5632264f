import { SharedMap } from '@pp/base';
import type { LocalSources, Pools } from '@pp/datapath';
import { dnsRuleKey, ruleInForce, type DnsRule } from './dns-rules';
import { guestKey, type Guest, type Namespace } from './guest';
import { freeTaps, heldAfter, nameOf, NOTHING_HELD, type Held } from './held';
import { heldAfterDnsRules, heldAfterPortRules } from './held-by-rules';
import { portRuleKey, type OwnedPortRule } from './port-rules';
import type { Uplink } from './uplink';

/** All that the manager knows; immutable. What the kernel should look like follows from it (desired.ts). */
export interface World {
  readonly pools: Pools;
  /** By guestKey, in order of arrival. BOUNDED by the address pools. */
  readonly guests: SharedMap<string, Guest>;
  /** By these guests, and by the rules below. */
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

/** `world` with these guests and no others; what they and its rules hold is counted anew. */
export function withAllGuests(world: World, guests: readonly Guest[]): World {
  const byPorts = heldAfterPortRules(NOTHING_HELD, [], [...world.portRules.values()]);
  const byRules = heldAfterDnsRules(byPorts, [], [...world.dnsRules]);
  return withGuests(
    world,
    SharedMap.of(guests.map((guest) => [guestKey(guest), guest])),
    heldAfter(byRules, [], guests),
  );
}

/** `world` with one guest more, or the guest of that key replaced. */
export const withGuest = (world: World, guest: Guest): World => withChangedGuests(world, [guest]);

/** `world` with each of these guests, new or in the place of the one of its key. */
export function withChangedGuests(world: World, changed: readonly Guest[]): World {
  const entries = changed.map((guest) => [guestKey(guest), guest] as const);
  const before = entries.flatMap(([key]) => world.guests.get(key) ?? []);
  return withGuests(world, world.guests.changed(entries), heldAfter(world.held, before, changed));
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

/** `world` with one port rule more. */
export const withPortRule = (world: World, owned: OwnedPortRule): World => ({
  ...world,
  portRules: world.portRules.changed([[portRuleKey(owned.rule), owned]]),
  held: heldAfterPortRules(world.held, [], [owned]),
});

/** `world` without this one of its port rules. */
export const withoutPortRule = (world: World, owned: OwnedPortRule): World => ({
  ...world,
  portRules: world.portRules.changed([], [portRuleKey(owned.rule)]),
  held: heldAfterPortRules(world.held, [owned], []),
});

/** `world` with one DNS redirection more, of that number. */
export function withDnsRule(world: World, number: number, rule: DnsRule): World {
  const come = [[dnsRuleKey(number), rule]] as const;
  const held = heldAfterDnsRules(world.held, [], come);
  return { ...world, dnsRules: world.dnsRules.changed(come), held, nextDnsRule: number + 1 };
}

/** `world` without these DNS redirections; keys that are not there are nothing. */
export function withoutDnsRules(world: World, keys: readonly string[]): World {
  const gone = keys.flatMap((key) => {
    const rule = world.dnsRules.get(key);
    return rule === undefined ? [] : [[key, rule] as const];
  });
  if (gone.length === 0) return world;
  const held = heldAfterDnsRules(world.held, gone, []);
  return { ...world, dnsRules: world.dnsRules.changed([], keys), held };
}

/** Of the DNS redirections for this purpose, the one that counts. */
export const dnsRuleFor = ({ dnsRules, held }: World, purpose: string): DnsRule | undefined =>
  ruleInForce((held.dns.get(purpose) ?? []).flatMap((key) => dnsRules.get(key) ?? []));

/** Guests of `world` that `other` has not, or has otherwise; a guest that is the same is the same object. */
export const guestsThatDiffer = ({ guests }: World, other: World): readonly Guest[] =>
  guests.beside(other.guests).map(([, guest]) => guest);

/** Something that observers are told of is in `from` and not, or otherwise, in `to`: not where guests and port rules only come. */
export const takesAway = (from: World, to: World): boolean =>
  from.uplinks !== to.uplinks ||
  from.portRules.beside(to.portRules).length > 0 ||
  from.guests.beside(to.guests).length > 0;

export const isMacHeld =
  ({ held }: World) =>
  (mac: string): boolean =>
    held.names.has(nameOf('mac', mac));

/** The `count` lowest names vmtapN that no link has. */
export function tapsFor({ held, foreignTaps }: World, count: number): readonly string[] {
  const foreign = new Set(foreignTaps);
  const found: string[] = [];
  for (const tap of freeTaps(held)) {
    if (found.length === count) break;
    if (!foreign.has(tap)) found.push(tap);
  }
  return found;
}
