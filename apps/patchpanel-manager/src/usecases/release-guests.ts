import { accept, type Checked } from '@pp/base';
import type { Decision } from '../domain/decision';
import { withoutGuests, type World } from '../domain/world';

/** Their lifelines ended. Replies with the keys that were there. */
export function releaseGuests(world: World, keys: readonly string[]): Checked<Decision<readonly string[]>> {
  const present = keys.filter((key) => world.guests.has(key));
  return accept({
    world: present.length === 0 ? world : withoutGuests(world, present),
    reply: present,
    goOn: true,
  });
}
