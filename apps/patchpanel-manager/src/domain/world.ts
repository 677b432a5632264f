import type { LocalSources, Pools } from '@pp/datapath';
import type { DnsRule } from './dns-rules';
import { guestKey, type Guest, type Namespace } from './guest';
import type { OwnedPortRule } from './port-rules';
import type { Uplink } from './uplink';

/** All that the manager knows; immutable. What the kernel should look like follows from it (desired.ts). */
export interface World {
  readonly pools: Pools;
  /** By guestKey, in order of arrival. BOUNDED by the address pools. */
  readonly guests: ReadonlyMap<string, Guest>;
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
  readonly portRules: ReadonlyMap<string, OwnedPortRule>;
  /** By dnsRuleKey, the newest last. BOUNDED by the quotas of all owners. */
  readonly dnsRules: ReadonlyMap<string, DnsRule>;
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
  guests: new Map(),
  nextNamespace: 0,
  uplinks: [],
  awaited: [],
  foreignTaps: [],
  originals: new Map(),
  portRules: new Map(),
  dnsRules: new Map(),
  nextDnsRule: 0,
  sessionUser,
  mostLifelines,
  vpnLockdown: false,
  foreignRule: null,
  localSources: null,
  withoutIpv6: false,
});

/** `world` with one guest more, or the guest of that key replaced. */
export const withGuest = (world: World, guest: Guest): World =>
  withGuests(world, new Map(world.guests).set(guestKey(guest), guest));

/** `world` with one namespace more, which takes its number. */
export const withNewNamespace = (world: World, guest: Namespace): World =>
  withGuests(world, new Map(world.guests).set(guestKey(guest), guest), guest.number + 1);

/** Field by field: V8 takes ten times as long, 10 us, for a spread of so many. */
const withGuests = (world: World, guests: World['guests'], nextNamespace = world.nextNamespace): World => ({
  pools: world.pools,
  guests,
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

/** `world` without these guests; keys that are not there are nothing. */
export function withoutGuests(world: World, keys: Iterable<string>): World {
  const guests = without(world.guests, keys);
  return guests === world.guests ? world : withGuests(world, guests);
}

/** `world` without these DNS redirections; keys that are not there are nothing. */
export function withoutDnsRules(world: World, keys: Iterable<string>): World {
  const dnsRules = without(world.dnsRules, keys);
  return dnsRules === world.dnsRules ? world : { ...world, dnsRules };
}

/** The very same map where none of `keys` is there. */
function without<T>(all: ReadonlyMap<string, T>, keys: Iterable<string>): ReadonlyMap<string, T> {
  const left = new Map(all);
  let isSame = true;
  for (const key of keys) if (left.delete(key)) isSame = false;
  return isSame ? all : left;
}

/** Guests of `world` that `other` has not, or has otherwise; compared by reference, so that it costs no more than a look at each. */
export function guestsThatDiffer({ guests }: World, other: World): readonly Guest[] {
  const differing: Guest[] = []; // BOUNDED: by the guests
  if (guests === other.guests) return differing;
  for (const [key, guest] of guests) if (other.guests.get(key) !== guest) differing.push(guest);
  return differing;
}

/** MAC addresses of all guests. */
export function usedMacs(world: World): ReadonlySet<string> {
  const macs = new Set<string>();
  for (const guest of world.guests.values()) for (const mac of macsOf(guest)) macs.add(mac);
  return macs;
}

function macsOf(guest: Guest): readonly string[] {
  switch (guest.kind) {
    case 'namespace':
      return [guest.hostMac, guest.peerMac];
    case 'termina':
    case 'plugin':
      return [guest.mac];
    case 'arc':
      return [guest.management.mac, ...guest.devices.map(({ mac }) => mac)];
  }
}

/** The `count` lowest names vmtapN that no link has, as the kernel itself would number them. */
export function freeTaps({ guests, foreignTaps }: World, count: number): readonly string[] {
  const used = new Set(foreignTaps);
  for (const guest of guests.values()) for (const tap of tapsOf(guest)) used.add(tap);
  const free: string[] = [];
  for (let n = 0; free.length < count; n++) if (!used.has(`vmtap${n}`)) free.push(`vmtap${n}`);
  return free;
}

/** TAPs of a guest. */
export function tapsOf(guest: Guest): readonly string[] {
  switch (guest.kind) {
    case 'namespace':
      return [];
    case 'termina':
    case 'plugin':
      return [guest.tap];
    case 'arc':
      return guest.container === null ? [guest.management.link, ...guest.taps.map(({ tap }) => tap)] : [];
  }
}
