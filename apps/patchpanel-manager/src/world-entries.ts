import type { JournalChange, Json } from '@pp/ports';
import { netnsNamesOf } from './desired';
import type { Guest } from './domain/guest';
import type { World } from './domain/world';
import { desiredSysctls } from './sysctls';

/** Keys of what is journaled; every guest has its guestKey, which has a slash. */
const NEXT_NAMESPACE = 'next-namespace';
const ORIGINALS = 'sysctl-originals';
/** The values that we write, so that a later start restores only what still holds them. */
const WRITTEN = 'sysctl-written';
/** Names under /run/netns that a start is about to remove: nothing else would tell the next one that they are ours. */
const STALE_NETNS = 'stale-netns';

/** What the journal remembers of a former world. Uplinks are not kept: the kernel tells them anew. */
export interface Remembered {
  readonly guests: ReadonlyMap<string, Guest>;
  readonly nextNamespace: number;
  readonly originals: ReadonlyMap<string, string | null>;
  readonly written: ReadonlyMap<string, string>;
  /** Of guests that are no more. */
  readonly staleNetns: readonly string[];
}

/** The journal's step from one world to the next; guests are compared by reference, so it costs what changed. */
export function entriesBetween(from: World, to: World): JournalChange {
  const put = new Map<string, Json>();
  for (const [key, guest] of to.guests)
    if (from.guests.get(key) !== guest) put.set(key, guest as unknown as Json);
  const del = [...from.guests.keys()].filter((key) => !to.guests.has(key));
  if (from.nextNamespace !== to.nextNamespace) put.set(NEXT_NAMESPACE, to.nextNamespace);
  if (from.originals !== to.originals) {
    put.set(ORIGINALS, Object.fromEntries(to.originals));
    put.set(WRITTEN, Object.fromEntries(desiredSysctls(to)));
  }
  return { put, del };
}

/** All of a world anew, while a start still clears away what `former` left. */
export function entriesOfStart(former: Remembered, world: World): JournalChange {
  const guests = [...world.guests] as unknown as [string, Json][];
  return {
    put: new Map<string, Json>([
      ...guests,
      [NEXT_NAMESPACE, world.nextNamespace],
      [ORIGINALS, Object.fromEntries([...former.originals, ...world.originals])],
      [WRITTEN, Object.fromEntries([...former.written, ...desiredSysctls(world)])],
      [STALE_NETNS, former.staleNetns],
    ]),
    del: [...former.guests.keys()].filter((key) => !world.guests.has(key)),
  };
}

/** What was left is gone: only the world counts. */
export const entriesOfSettled = (world: World): JournalChange => ({
  put: new Map<string, Json>([
    [ORIGINALS, Object.fromEntries(world.originals)],
    [WRITTEN, Object.fromEntries(desiredSysctls(world))],
  ]),
  del: [STALE_NETNS],
});

/** Reads back what was written above (the journal's checksum vouches for the bytes). */
export function remembered(entries: ReadonlyMap<string, Json>): Remembered {
  const read = <T>(key: string, none: T): T => (entries.get(key) ?? none) as T;
  return {
    guests: new Map([...entries].filter(([key]) => key.includes('/')) as unknown as [string, Guest][]),
    nextNamespace: read(NEXT_NAMESPACE, 0),
    originals: new Map(Object.entries(read<Record<string, string | null>>(ORIGINALS, {}))),
    written: new Map(Object.entries(read<Record<string, string>>(WRITTEN, {}))),
    staleNetns: read<readonly string[]>(STALE_NETNS, []),
  };
}

/**
 * What a start has to know of a run that was cut short: of its last change, neither the state before nor the one after may be
 * complete in the kernel. Values that were found first are the true originals.
 */
export function cutShort(after: Remembered, before: Remembered, kept: ReadonlySet<string>): Remembered {
  const lost = [...after.guests, ...before.guests].filter(([key]) => !kept.has(key));
  return {
    guests: after.guests,
    nextNamespace: Math.max(after.nextNamespace, before.nextNamespace),
    originals: new Map([...after.originals, ...before.originals]),
    written: new Map([...before.written, ...after.written]),
    staleNetns: [
      ...new Set([
        ...after.staleNetns,
        ...before.staleNetns,
        ...lost.flatMap(([, guest]) => netnsNamesOf(guest)),
      ]),
    ],
  };
}
