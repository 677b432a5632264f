import { ARC_BRIDGE, ARC_MANAGEMENT_SUBNET, arcBridgeName, hostAt } from '@pp/datapath';
import { guestKey, neighborsOf, type Arc, type Guest, type Vm } from './domain/guest';

/** One link of a VM or of Android. */
export interface GuestStatus {
  /** "termina/7", "arc/0". */
  readonly id: string;
  readonly kind: 'termina' | 'plugin' | 'arcvm' | 'arc';
  /** As the API names it: a TAP, or the bridge of an uplink; Android's management link is a bridge without one. */
  readonly ifname: string;
  /** What the VMM opens, or the host's end of a veth. */
  readonly link: string;
  /** The uplink that it goes with; empty: the default network. */
  readonly uplink: string;
  readonly hostAddress: string;
  readonly guestAddress: string;
  readonly subnet: string;
  /** Termina's; empty: none. */
  readonly containerSubnet: string;
  /** IPv6 addresses that the host has routes to. */
  readonly neighbors: readonly string[];
  readonly owner: number;
}

/** One row for each link; connected namespaces have a list of their own. */
export function guestStatus(guest: Guest): readonly GuestStatus[] {
  switch (guest.kind) {
    case 'namespace':
      return [];
    case 'termina':
    case 'plugin':
      return [vmStatus(guest)];
    case 'arc':
      return arcStatus(guest);
  }
}

const vmStatus = (vm: Vm): GuestStatus => ({
  ...common(vm, vm.kind, vm.tap),
  link: vm.tap,
  uplink: '',
  ...addressesOf(vm.subnet),
  containerSubnet: vm.containers?.subnet ?? '',
});

function arcStatus(arc: Arc): readonly GuestStatus[] {
  const kind = arc.container === null ? 'arcvm' : 'arc';
  const row = (ifname: string, link: string, uplink: string, subnet: string): GuestStatus => ({
    ...common(arc, kind, ifname),
    link,
    uplink,
    ...addressesOf(subnet),
    containerSubnet: '',
  });
  return [
    row(ARC_BRIDGE, arc.management.link, '', ARC_MANAGEMENT_SUBNET),
    ...arc.devices.map(({ uplink, link, config }) => row(arcBridgeName(uplink), link, uplink, config.subnet)),
  ];
}

function common(
  guest: Vm | Arc,
  kind: GuestStatus['kind'],
  ifname: string,
): Pick<GuestStatus, 'id' | 'kind' | 'ifname' | 'neighbors' | 'owner'> {
  const neighbors = neighborsOf(guest).filter((each) => each.ifname === ifname);
  return {
    id: guestKey(guest),
    kind,
    ifname,
    neighbors: neighbors.map(({ address }) => address),
    owner: guest.owner,
  };
}

const addressesOf = (subnet: string): Pick<GuestStatus, 'hostAddress' | 'guestAddress' | 'subnet'> => ({
  hostAddress: hostAt(subnet, 0),
  guestAddress: hostAt(subnet, 1),
  subnet,
});
