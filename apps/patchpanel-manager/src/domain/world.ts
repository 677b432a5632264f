import type { Pools } from '@pp/datapath';
import type { Guest } from './guest';
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
  /** Value of each sysctl of interest before we touched it; null: this kernel has no such key. */
  readonly originals: ReadonlyMap<string, string | null>;
}

export const emptyWorld = (pools: Pools): World => ({
  pools,
  guests: new Map(),
  nextNamespace: 0,
  uplinks: [],
  awaited: [],
  originals: new Map(),
});

/** `world` with one guest more, or the guest of that key replaced. */
export const withGuest = (world: World, key: string, guest: Guest): World => ({
  ...world,
  guests: new Map(world.guests).set(key, guest),
});

/** `world` without these guests; keys that are not there are nothing. */
export function withoutGuests(world: World, keys: Iterable<string>): World {
  const guests = new Map(world.guests);
  for (const key of keys) guests.delete(key);
  return { ...world, guests };
}
