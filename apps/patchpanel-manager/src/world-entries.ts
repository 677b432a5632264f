import type { JournalChange, Json } from '@pp/ports';
import type { Guest } from './domain/guest';
import { desiredSysctls } from './sysctls';
import type { World } from './domain/world';

/** What of a world is journaled, under which keys: every guest by its guestKey, and these. */
const NEXT_NAMESPACE = 'next-namespace';
const ORIGINALS = 'sysctl-originals';
/** The values that we write, so that a later start restores only what still holds them. */
const WRITTEN = 'sysctl-written';

/** What the journal remembers of a former world. Uplinks are not kept: the kernel tells them anew. */
export interface Remembered {
  readonly guests: ReadonlyMap<string, Guest>;
  readonly nextNamespace: number;
  readonly originals: ReadonlyMap<string, string | null>;
  readonly written: ReadonlyMap<string, string>;
}

/** The journal's step from one world to the next; guests are compared by reference, so it costs what changed. */
export function entriesBetween(from: World, to: World): JournalChange {
  const put = new Map<string, Json>();
  for (const [key, guest] of to.guests) if (from.guests.get(key) !== guest) put.set(key, guest as unknown as Json);
  const del = [...from.guests.keys()].filter((key) => !to.guests.has(key));
  if (from.nextNamespace !== to.nextNamespace) put.set(NEXT_NAMESPACE, to.nextNamespace);
  if (from.originals !== to.originals || from.uplinks !== to.uplinks) {
    put.set(ORIGINALS, Object.fromEntries(to.originals));
    put.set(WRITTEN, Object.fromEntries(desiredSysctls(to)));
  }
  return { put, del };
}

/** Reads back what `entriesBetween` wrote (the journal's checksum vouches for the bytes). */
export function remembered(entries: ReadonlyMap<string, Json>): Remembered {
  const guests = [...entries].filter(([key]) => key.includes('/')) as [string, unknown][];
  return {
    guests: new Map(guests as [string, Guest][]),
    nextNamespace: (entries.get(NEXT_NAMESPACE) ?? 0) as number,
    originals: new Map(Object.entries((entries.get(ORIGINALS) ?? {}) as Record<string, string | null>)),
    written: new Map(Object.entries((entries.get(WRITTEN) ?? {}) as Record<string, string>)),
  };
}
