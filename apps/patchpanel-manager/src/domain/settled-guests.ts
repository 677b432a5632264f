import {
  type ArcConfig,
  arcConfigs,
  indexOfSubnet,
  poolsBeside,
  type ExtraPool,
  type Pools,
} from '@pp/datapath';
import { subnetsOf, type Arc, type Guest } from './guest';

/**
 * Guests of an earlier run, which had the pools `former`, among the pools of this one, which may be others: they keep their subnets, by
 * the numbers of now, and nobody else is given one of them.
 */
export function settledGuests(
  configured: Pools,
  former: readonly ExtraPool[],
  guests: readonly Guest[],
): { readonly pools: Pools; readonly guests: readonly Guest[] } {
  const pools = poolsBeside(configured, former, guests.flatMap(subnetsOf));
  return { pools, guests: guests.map((guest) => settled(pools, guest)) };
}

function settled(pools: Pools, guest: Guest): Guest {
  if (guest.kind === 'arc') return settledArc(pools, guest);
  const { byKind } = pools;
  const subnetIndex = indexOfSubnet(byKind[guest.kind], guest.subnet) ?? guest.subnetIndex;
  if (guest.kind === 'namespace' || guest.containers === null) return { ...guest, subnetIndex };
  const { subnet, index } = guest.containers;
  return {
    ...guest,
    subnetIndex,
    containers: { subnet, index: indexOfSubnet(byKind.lxd, subnet) ?? index },
  };
}

/** Where the pools are the same its free addresses stay in their order, so that a device comes back with those it had. */
function settledArc(pools: Pools, arc: Arc): Arc {
  const held = new Set(arc.devices.map(({ config }) => config.subnet));
  const known = new Set(Object.values(arc.free).flatMap((queue) => queue.map(({ subnet }) => subnet)));
  const { ethernet, wifi, cellular, extra } = arcConfigs(pools);
  const unheld = (configs: readonly ArcConfig[]): readonly ArcConfig[] =>
    configs.filter(({ subnet }) => !held.has(subnet));
  const free = {
    ethernet: unheld(ethernet),
    wifi: unheld(wifi),
    cellular: unheld(cellular),
    extra: unheld(extra),
  };
  const all = Object.values(free).flat();
  return all.length === known.size && all.every(({ subnet }) => known.has(subnet)) ? arc : { ...arc, free };
}
