import type { Way } from '@pp/forwarding';
import type { Policy } from './core/policy';
import type { DesiredPair } from './desired';

/** What the command line has it relay: each range of ports by itself, for another may have another direction. */
export function waysOf(pairs: readonly DesiredPair[], { ports }: Pick<Policy, 'ports'>): readonly Way[] {
  const whats = ports.map(({ first, last }) => `ports ${first}-${last}`);
  return pairs.flatMap((pair) => whats.map((what) => ({ what, ...pair })));
}
