import type { Way } from '@pp/forwarding';
import type { Config } from './config';

/** What the command line has it relay: each protocol or group by itself, for another may have another direction. */
export function waysOf({ groups, links }: Pick<Config, 'groups' | 'links'>): readonly Way[] {
  const whats = new Set(groups.map(({ name }) => name)); // the groups of a protocol have its name
  return links.flatMap(({ lan, guests }) =>
    guests.flatMap((guest) => [...whats].map((what) => ({ what, lan, guest }))),
  );
}
