import { hostAt, namespaceNames } from '@pp/datapath';
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
  return encode('ConnectNamespaceResponse', {
    ipv4Subnet: subnetMessage(subnet),
    peerIfname: names.peer,
    peerIpv4Address: networkOrder(hostAt(subnet, 1)),
    hostIfname: names.host,
    hostIpv4Address: networkOrder(hostAt(subnet, 0)),
    netnsName: names.netns,
  });
}

export const terminaStartToProto = (vm: Vm): Uint8Array =>
  encode('TerminaVmStartupResponse', {
    device: deviceMessage(deviceOfVm(vm)),
    containerSubnet: vm.containers === null ? undefined : subnetMessage(vm.containers.subnet),
  });

export const pluginStartToProto = (vm: Vm): Uint8Array =>
  encode('PluginVmStartupResponse', { device: deviceMessage(deviceOfVm(vm)) });

/** Only what the VMM needs to attach the TAPs (spec 1.5). */
export const arcVmStartToProto = (arc: Arc): Uint8Array =>
  encode('ArcVmStartupResponse', {
    devices: arcTaps(arc).map(({ tap, address }) => ({
      ifname: tap,
      ipv4Addr: networkOrder(address),
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
const deviceMessage = ({
  ifname,
  physIfname,
  guestType,
  subnet,
}: Device): Init<Messages['NetworkDevice']> => ({
  ifname,
  physIfname,
  ipv4Addr: networkOrder(hostAt(subnet, 1)),
  hostIpv4Addr: networkOrder(hostAt(subnet, 0)),
  ipv4Subnet: subnetMessage(subnet),
  guestType: NetworkDeviceGuestType[guestType],
});

function subnetMessage(subnet: string): Init<Messages['IPv4Subnet']> {
  const [base = '', length = ''] = subnet.split('/');
  return { baseAddr: networkOrder(base), prefixLen: Number(length) };
}
