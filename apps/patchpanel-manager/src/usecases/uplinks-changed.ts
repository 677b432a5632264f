import { accept, type Checked } from '@pp/base';
import { freshMac } from '@pp/datapath';
import { followUplinks } from '../domain/arc-devices';
import { decided, type Decision } from '../domain/decision';
import { ARC_KEY } from '../domain/guest';
import { withNeighborsFollowing } from '../domain/neighbors';
import { uplinksBeside } from '../domain/uplink';
import { isMacHeld, withGuest, type World } from '../domain/world';
import type { Uplinks } from '../feeds/uplinks';

/** Names that came and went, for the log. */
export interface UplinkChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The host's network looks different; a view that says nothing new leaves the very same world. Guests follow. `randomBytes(n)`: n random
 * bytes for the MAC addresses of a container's new devices.
 */
export function uplinksChanged(
  world: World,
  seen: Uplinks,
  randomBytes: (n: number) => Uint8Array,
): Checked<Decision<UplinkChanges>> {
  const uplinks = { ...seen, present: uplinksBeside(world.guests.has(ARC_KEY), seen.present) };
  const { present, awaited, foreignTaps, foreignRule } = uplinks;
  if (isSame(known(world), uplinks)) {
    return decided(world, { added: [], removed: [] });
  }
  const before = new Set(world.uplinks.map(({ ifname }) => ifname));
  const after = new Set(present.map(({ ifname }) => ifname));
  return accept({
    world: withGuestsFollowing(
      { ...world, uplinks: present, awaited, foreignTaps, foreignRule },
      randomBytes,
    ),
    reply: {
      added: [...after].filter((name) => !before.has(name)),
      removed: [...before].filter((name) => !after.has(name)),
    },
    goOn: true,
  });
}

const known = ({ uplinks, awaited, foreignTaps, foreignRule }: World): Uplinks => ({
  present: uplinks,
  awaited,
  foreignTaps,
  foreignRule,
});

/** `world` whose guests are as its uplinks ask: ARC's devices, and neighbours behind them. */
export const withGuestsFollowing = (world: World, randomBytes: (n: number) => Uint8Array): World =>
  withNeighborsFollowing(withArcFollowing(world, randomBytes));

/** `world` whose ARC, if it runs, has its devices for the uplinks that are there. */
function withArcFollowing(world: World, randomBytes: (n: number) => Uint8Array): World {
  const arc = world.guests.get(ARC_KEY);
  if (arc?.kind !== 'arc') return world;
  const newMac = (): string => freshMac(() => randomBytes(6), isMacHeld(world));
  const followed = followUplinks(arc, world.uplinks, newMac);
  return followed === arc ? world : withGuest(world, followed);
}

/** Both are plain values made by the same function, so their text compares them. */
const isSame = (a: Uplinks, b: Uplinks): boolean => JSON.stringify(a) === JSON.stringify(b);
