import type { Forwarding } from '@pp/forwarding';
import type { PortForward } from './core/policy';
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

const IPPROTO_UDP = 17; // linux/in.h

/** The ports that it has led to guests, each on one uplink. */
export const forwardsOf = ({ ports = [] }: Forwarding): readonly PortForward[] =>
  ports.map(({ upstream, protocol, port, address, targetPort }) => ({
    protocol: protocol === IPPROTO_UDP ? 'udp' : 'tcp',
    hostPort: port,
    guest: address,
    guestPort: targetPort,
    lan: upstream,
  }));
