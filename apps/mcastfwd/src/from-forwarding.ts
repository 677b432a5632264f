import type { Forwarding } from '@pp/forwarding';
import type { Link } from './core/topology';

/** What the manager wants of this helper: the guests of each uplink that take part in multicast. */
export function linksOf({ pairs }: Forwarding): readonly Link[] {
  const wanted = pairs.filter(({ multicast }) => multicast);
  const lans = [...new Set(wanted.map(({ upstream }) => upstream))];
  return lans.map((lan) => ({
    lan,
    guests: wanted.filter(({ upstream }) => upstream === lan).map(({ downstream }) => downstream),
  }));
}
