import type { Checked } from '@pp/base';
import { decided, type Decision } from '../domain/decision';
import type { World } from '../domain/world';
import type { Uplinks } from '../feeds/uplinks';

/** Names that came and went, for the log. */
export interface UplinkChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export function uplinksChanged(world: World, { present, awaited }: Uplinks): Checked<Decision<UplinkChanges>> {
  const before = new Set(world.uplinks.map(({ ifname }) => ifname));
  const after = new Set(present.map(({ ifname }) => ifname));
  return decided(
    { ...world, uplinks: present, awaited },
    { added: [...after].filter((name) => !before.has(name)), removed: [...before].filter((name) => !after.has(name)) },
  );
}
