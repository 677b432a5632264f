/** From a guest, as the world has it, to its part of the desired state. */
import { arcPart, ETHERNET_MTU, guestMtu, namespacePart, vmPart, vpnAmong, type Part } from '@pp/datapath';
import { defaultsOf } from './domain/forwarding';
import { guestKey, neighborsOf, type Arc, type Guest, type Namespace, type Vm } from './domain/guest';
import type { Uplink } from './domain/uplink';
import type { World } from './domain/world';

/** Names of the uplinks that a guest is pinned to. */
export function uplinksUsedBy(guest: Guest): readonly string[] {
  if (guest.kind === 'arc') return guest.devices.map(({ uplink }) => uplink);
  return guest.kind === 'namespace' && guest.egress.kind === 'uplink' ? [guest.egress.ifname] : [];
}

/** Addresses of the uplinks that a guest has neighbours behind: the sources of the routes to them. */
export function addressesNear(guest: Guest, uplinks: readonly Uplink[]): readonly string[] {
  const neighbors = neighborsOf(guest);
  if (neighbors.length === 0) return [];
  const upstreams = new Set(neighbors.map(({ upstream }) => upstream));
  return uplinks.filter(({ ifname }) => upstreams.has(ifname)).flatMap(({ addresses }) => addresses);
}

/** What a guest's links take from the ways that its traffic leaves by. */
interface Ways {
  /** Of each device, or of the one link. */
  readonly mtus: readonly number[];
  /** Of Android only; null: none is up. */
  readonly vpn: string | null;
}

/** `used`: the uplinks that it is pinned to, in their order, as far as they are there. */
export function waysOf(guest: Guest, used: readonly (Uplink | undefined)[], { uplinks }: World): Ways {
  const mtuOf = (uplink: Uplink | undefined): number => guestMtu(uplink?.mtu);
  if (guest.kind === 'arc') return { mtus: used.map(mtuOf), vpn: vpnAmong(uplinks)?.ifname ?? null };
  if (guest.kind === 'namespace' && guest.egress.kind === 'uplink')
    return { mtus: used.map(mtuOf), vpn: null };
  const { logical, physical } = defaultsOf(uplinks);
  const isUser = guest.kind !== 'namespace' || guest.egress.kind === 'user';
  return { mtus: [mtuOf(isUser ? logical : physical)], vpn: null };
}

/** `used` as for `waysOf`; `forceForwarding`: the kernel forwards IPv6 for its links alone. */
export function partOf(
  guest: Guest,
  used: readonly (Uplink | undefined)[],
  { mtus, vpn }: Ways,
  forceForwarding: boolean,
): Part {
  const [mtu = ETHERNET_MTU] = mtus;
  switch (guest.kind) {
    case 'namespace':
      return namespacePart(namespaceSpec(guest, used[0], forceForwarding, mtu));
    case 'termina':
    case 'plugin':
      return vmPart(vmSpec(guest, forceForwarding, mtu));
    case 'arc':
      return arcPart({ ...arcSpec(guest, used), forceForwarding, vpn });
  }
}

/** Field by field: a spread of so many takes V8 longer than all else that makes the part. */
const namespaceSpec = (
  guest: Namespace,
  uplink: Uplink | undefined,
  forceForwarding: boolean,
  mtu: number,
): Parameters<typeof namespacePart>[0] => ({
  number: guest.number,
  subnet: guest.subnet,
  hostMac: guest.hostMac,
  peerMac: guest.peerMac,
  client: guest.client,
  egress: egressOf(guest, uplink),
  source: guest.source,
  allowUserTraffic: guest.allowUserTraffic,
  forceForwarding,
  mtu,
});

/** A guest that is pinned to an absent uplink keeps all but its way out. */
const egressOf = (
  { egress }: Namespace,
  uplink: Uplink | undefined,
): Parameters<typeof namespacePart>[0]['egress'] =>
  egress.kind === 'uplink' && uplink === undefined ? { kind: 'nowhere' } : egress;

const vmSpec = (vm: Vm, forceForwarding: boolean, mtu: number): Parameters<typeof vmPart>[0] => ({
  key: guestKey(vm),
  tap: vm.tap,
  mac: vm.mac,
  owner: vm.tapOwner,
  subnet: vm.subnet,
  containers: vm.containers?.subnet ?? null,
  source: vm.kind === 'termina' ? 'CROSVM' : 'PLUGINVM',
  forceForwarding,
  mtu,
});

const arcSpec = (
  arc: Arc,
  used: readonly (Uplink | undefined)[],
): Omit<Parameters<typeof arcPart>[0], 'forceForwarding'> => ({
  key: guestKey(arc),
  container: arc.container === null ? null : { pid: arc.id, inode: arc.container.inode },
  management: arc.management,
  taps: arc.taps,
  tapOwner: arc.tapOwner,
  devices: arc.devices.map((device, i) => ({
    ...device,
    reachable: used[i] !== undefined,
    multicast: used[i]?.multicast ?? false,
    mtu: guestMtu(used[i]?.mtu),
  })),
});
