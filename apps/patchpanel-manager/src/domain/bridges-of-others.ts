import { ARC_BRIDGE } from '@pp/datapath';
import type { LinkView, NetworkView } from '@pp/ports';
import type { Uplink } from './uplink';

/**
 * Bridges that are up and have an address of IPv4, uplinks aside: behind them are containers and VMs of others (docker0, virbr0), who found
 * that this host forwards when they came, and would have no network if it stopped.
 */
export function bridgesOfOthers(
  { links, addresses }: Pick<NetworkView, 'links' | 'addresses'>,
  uplinks: readonly Pick<Uplink, 'ifname'>[],
): readonly LinkView[] {
  const own = new Set(uplinks.map(({ ifname }) => ifname));
  const numbered = new Set(addresses.filter(({ cidr }) => !cidr.includes(':')).map(({ ifindex }) => ifindex));
  return links.filter(
    ({ ifname, kind, up, ifindex }) =>
      kind === 'bridge' && up && numbered.has(ifindex) && !own.has(ifname) && ifname !== ARC_BRIDGE,
  );
}
