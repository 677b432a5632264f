import { accept, type Checked } from '@pp/base';
import type { Decision } from '../domain/decision';
import { withoutDnsRules, withoutGuests, type World } from '../domain/world';

/** The lifelines of these guests and DNS redirections ended. Replies with the keys that were there. */
export function releaseEnded(world: World, keys: readonly string[]): Checked<Decision<readonly string[]>> {
  const present = keys.filter((key) => world.guests.has(key) || world.dnsRules.has(key));
  return accept({
    world: withoutDnsRules(withoutGuests(world, present), present),
    reply: present,
    goOn: true,
  });
}
