import type { Place } from '../place';
import { until } from '../until';

/** An address of the lab's networks (2001:db8::/32) by SLAAC, once duplicate detection is through. */
export function globalAddress(place: Place, ifname = 'eth0'): Promise<string> {
  const show = ['-6', 'addr', 'show', 'dev', ifname, 'scope', 'global', '-tentative'];
  return until(
    `${place.name} has a global address`,
    async () => /inet6 (2001:db8:[0-9a-f:]+)/.exec(await place.ok('ip', show))?.[1],
  );
}
