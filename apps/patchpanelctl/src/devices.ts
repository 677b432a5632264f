import { table } from '@pp/daemon';
import { NetworkDeviceGuestType, type Messages } from '@pp/proto';
import { dottedQuad, subnetText } from './addresses';

/** A guest's link as people and scripts read it; the keys are the API's field names. What the manager does not say is left out. */
export interface Device {
  readonly ifname: string;
  readonly phys_ifname?: string;
  readonly guest_type: string;
  readonly ipv4_addr: string;
  readonly host_ipv4_addr?: string;
  readonly ipv4_subnet?: string;
}

export function deviceFromProto(device: Messages['NetworkDevice']): Device {
  const { ifname, physIfname, guestType, ipv4Addr, hostIpv4Addr, ipv4Subnet } = device;
  return {
    ifname,
    ...(physIfname === '' ? {} : { phys_ifname: physIfname }),
    guest_type: guestTypeText(guestType),
    ipv4_addr: dottedQuad(ipv4Addr),
    ...(hostIpv4Addr === 0 ? {} : { host_ipv4_addr: dottedQuad(hostIpv4Addr) }),
    ...(ipv4Subnet === undefined ? {} : { ipv4_subnet: subnetText(ipv4Subnet) }),
  };
}

/** A table; columns that no device has are left out. */
export function devicesText(devices: readonly Device[]): string {
  const columns = COLUMNS.filter(([, key]) => devices.some((device) => device[key] !== undefined));
  return table(
    columns.map(([head]) => head),
    devices.map((device) => columns.map(([, key]) => device[key] ?? '-')),
  );
}

const COLUMNS: readonly (readonly [string, keyof Device])[] = [
  ['ifname', 'ifname'],
  ['kind', 'guest_type'],
  ['physical', 'phys_ifname'],
  ['guest', 'ipv4_addr'],
  ['host', 'host_ipv4_addr'],
  ['subnet', 'ipv4_subnet'],
];

const guestTypeText = (value: number): string =>
  Object.entries(NetworkDeviceGuestType).find(([, number]) => number === value)?.[0] ?? String(value);
