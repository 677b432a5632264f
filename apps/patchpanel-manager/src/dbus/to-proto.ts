import { namespaceNames, subnetNumbers } from '@pp/datapath';
import {
  encode,
  NetworkDeviceChangedSignalEvent,
  NetworkDeviceGuestType,
  type Init,
  type Messages,
} from '@pp/proto';
import { arcTaps, deviceOfVm, type Device } from '../domain/devices';
import type { Arc, Namespace, Vm } from '../domain/guest';
import { networkOrder } from './network-order';

/** The one writer of reply and signal messages. */

/** Spec 11 step 10. */
export function connectNamespaceToProto({ number, subnet }: Namespace): Uint8Array {
  const names = namespaceNames(number);
  const { ipv4Subnet, host, guest } = ipv4Of(subnet);
  return encode('ConnectNamespaceResponse', {
    ipv4Subnet,
    peerIfname: names.peer,
    peerIpv4Address: guest,
    hostIfname: names.host,
    hostIpv4Address: host,
    netnsName: names.netns,
  });
}

export const terminaStartToProto = (vm: Vm): Uint8Array =>
  encode('TerminaVmStartupResponse', {
    device: deviceMessage(deviceOfVm(vm)),
    containerSubnet: vm.containers === null ? undefined : ipv4Of(vm.containers.subnet).ipv4Subnet,
  });

export const pluginStartToProto = (vm: Vm): Uint8Array =>
  encode('PluginVmStartupResponse', { device: deviceMessage(deviceOfVm(vm)) });

/** Only what the VMM needs to attach the TAPs (spec 1.5). */
export const arcVmStartToProto = (arc: Arc): Uint8Array =>
  encode('ArcVmStartupResponse', {
    devices: arcTaps(arc).map(({ tap, subnet }) => ({
      ifname: tap,
      ipv4Addr: ipv4Of(subnet).guest,
      guestType: NetworkDeviceGuestType.ARCVM,
    })),
  });

export const devicesToProto = (devices: readonly Device[]): Uint8Array =>
  encode('GetDevicesResponse', { devices: devices.map(deviceMessage) });

export const deviceChangedToProto = (event: 'DEVICE_ADDED' | 'DEVICE_REMOVED', device: Device): Uint8Array =>
  encode('NetworkDeviceChangedSignal', {
    device: deviceMessage(device),
    event: NetworkDeviceChangedSignalEvent[event],
  });

/** Spec 1.5, the common fill. */
function deviceMessage({ ifname, physIfname, guestType, subnet }: Device): Init<Messages['NetworkDevice']> {
  const { ipv4Subnet, host, guest } = ipv4Of(subnet);
  return {
    ifname,
    physIfname,
    ipv4Addr: guest,
    hostIpv4Addr: host,
    ipv4Subnet,
    guestType: NetworkDeviceGuestType[guestType],
  };
}

/** A subnet and the addresses of its two ends, as messages have them. */
function ipv4Of(subnet: string): {
  readonly ipv4Subnet: Init<Messages['IPv4Subnet']>;
  readonly host: number;
  readonly guest: number;
} {
  const { base, length, host, guest } = subnetNumbers(subnet);
  return {
    ipv4Subnet: { baseAddr: networkOrder(base), prefixLen: length },
    host: networkOrder(host),
    guest: networkOrder(guest),
  };
}
