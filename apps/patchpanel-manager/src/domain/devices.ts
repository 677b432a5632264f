import { ARC_MANAGEMENT_SUBNET, arcBridgeName } from '@pp/datapath';
import type { Arc, Guest, Vm } from './guest';
import { changeOf, type Change } from './change';
import { guestsThatDiffer, type World } from './world';

/** A guest's link as the API tells of it (NetworkDevice, spec 1.4 and 1.5). */
export interface Device {
  /** On the host: a bridge for ARC, a TAP for VMs. */
  readonly ifname: string;
  /** The uplink of an ARC device; a VM's TAP again. */
  readonly physIfname: string;
  readonly guestType: 'ARC' | 'ARCVM' | 'TERMINA_VM' | 'PLUGIN_VM';
  /** Network address with prefix length. */
  readonly subnet: string;
}

/** ARC's devices that are bound to an uplink, then the VMs'; arc0 and connected namespaces are none. */
export const devicesOf = ({ guests }: Pick<World, 'guests'>): readonly Device[] =>
  devicesOfAll([...guests.values()]);

/** What a change of the world does to devices; guests that it does not touch are passed over. */
export const deviceChange = (from: World, to: World): Change<Device> =>
  changeOf(devicesOfAll(guestsThatDiffer(from, to)), devicesOfAll(guestsThatDiffer(to, from)));

function devicesOfAll(guests: readonly Guest[]): readonly Device[] {
  if (guests.length === 0) return [];
  const isArc = (guest: Guest): boolean => guest.kind === 'arc';
  return [...guests.filter(isArc), ...guests.filter((guest) => !isArc(guest))].flatMap(devicesOfGuest);
}

function devicesOfGuest(guest: Guest): readonly Device[] {
  switch (guest.kind) {
    case 'namespace':
      return [];
    case 'termina':
    case 'plugin':
      return [deviceOfVm(guest)];
    case 'arc':
      return guest.devices.map(({ uplink, config }) => ({
        ifname: arcBridgeName(uplink),
        physIfname: uplink,
        guestType: arcType(guest),
        subnet: config.subnet,
      }));
  }
}

export const deviceOfVm = ({ kind, tap, subnet }: Vm): Device => ({
  ifname: tap,
  physIfname: tap,
  guestType: kind === 'termina' ? 'TERMINA_VM' : 'PLUGIN_VM',
  subnet,
});

const arcType = ({ container }: Arc): Device['guestType'] => (container === null ? 'ARCVM' : 'ARC');

/** What a VMM needs to know of one of ARC's TAPs. */
export interface ArcTap {
  readonly tap: string;
  /** The guest has its second address. */
  readonly subnet: string;
}

/** All TAPs of an ARC VM, the management one first. */
export function arcTaps({ management, taps, free, devices }: Arc): readonly ArcTap[] {
  const configs = [...Object.values(free).flat(), ...devices.map(({ config }) => config)];
  const subnets = new Map(configs.map(({ stableMac, subnet }) => [stableMac, subnet]));
  return [
    { tap: management.link, subnet: ARC_MANAGEMENT_SUBNET },
    ...taps.map(({ tap, number }) => ({ tap, subnet: subnets.get(number) ?? ARC_MANAGEMENT_SUBNET })),
  ];
}
