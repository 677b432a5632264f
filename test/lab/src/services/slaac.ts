import { seconds } from '@pp/base';
import type { Place } from '../place';
import { until } from '../until';

/**
 * An address of the lab's networks (2001:db8::/32) by SLAAC, once duplicate detection is through. Two detections take up to 2 s each, and a
 * solicitation that is lost is sent again after 4 s (RFC 4861 §10, RFC 4862 §5.4.2).
 */
export function globalAddress(place: Place, ifname = 'eth0'): Promise<string> {
  const show = ['-6', 'addr', 'show', 'dev', ifname, 'scope', 'global', '-tentative'];
  return until(
    `${place.name} has a global address`,
    async () => /inet6 (2001:db8:[0-9a-f:]+)/.exec(await place.ok('ip', show))?.[1],
    { deadline: seconds(40) },
  );
}
