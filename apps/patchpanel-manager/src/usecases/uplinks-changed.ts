import { accept, type Checked } from '@pp/base';
import { decided, type Decision } from '../domain/decision';
import type { World } from '../domain/world';
import type { Uplinks } from '../feeds/uplinks';

/** Names that came and went, for the log. */
export interface UplinkChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** The host's network looks different; a view that says nothing new about uplinks leaves the very same world. */
export function uplinksChanged(
  world: World,
  { present, awaited }: Uplinks,
): Checked<Decision<UplinkChanges>> {
  if (isSame({ present: world.uplinks, awaited: world.awaited }, { present, awaited })) {
    return decided(world, { added: [], removed: [] });
  }
  const before = new Set(world.uplinks.map(({ ifname }) => ifname));
  const after = new Set(present.map(({ ifname }) => ifname));
  return accept({
    world: { ...world, uplinks: present, awaited },
    reply: {
      added: [...after].filter((name) => !before.has(name)),
      removed: [...before].filter((name) => !after.has(name)),
    },
    goOn: true,
  });
}

/** Both are plain values made by the same function, so their text compares them. */
const isSame = (a: Uplinks, b: Uplinks): boolean => JSON.stringify(a) === JSON.stringify(b);
