import type { DeadConnections } from '@pp/ports';
import { parseCidr } from '@pp/wire';
import type { Uplink } from './uplink';

const FAMILIES = ['ipv4', 'ipv6'] as const;

/**
 * Connections that a change of the uplinks leaves without a way: pinned to an interface that is gone, or that has no default route of
 * their family any more, or known outside by an address that it has lost. All others live on.
 */
export function deadConnections(from: readonly Uplink[], to: readonly Uplink[]): DeadConnections {
  const after = new Map(to.map((uplink) => [uplink.ifindex, uplink]));
  const changed = from.flatMap((was) => {
    const now = after.get(was.ifindex);
    return now === undefined || now === was ? [] : [{ was, now }];
  });
  return {
    pinned: [
      ...from.filter(({ ifindex }) => !after.has(ifindex)).map(({ ifindex }) => ({ ifindex, family: null })),
      ...changed.flatMap(({ was, now }) =>
        FAMILIES.filter((family) => leads(was, family) && !leads(now, family)).map((family) => ({
          ifindex: was.ifindex,
          family,
        })),
      ),
    ],
    addressed: changed.flatMap(({ was, now }) =>
      hostsOf(was)
        .filter((address) => !hostsOf(now).includes(address))
        .map((address) => ({ ifindex: was.ifindex, address })),
    ),
  };
}

const leads = ({ defaults }: Uplink, wanted: (typeof FAMILIES)[number]): boolean =>
  defaults.some(({ family }) => family === wanted);

const hostsOf = ({ addresses }: Uplink): readonly string[] =>
  addresses.filter((cidr) => parseCidr(cidr) !== null).map((cidr) => cidr.slice(0, cidr.indexOf('/')));
