import type { ApiClient } from './api-client';
import type { Guest } from './host';
import { plugTap } from './services/tap-pump';
import type { StandardLab } from './standard-lab';
import type { Messages } from '@pp/proto';

/** A lab whose host has a manager, and a client of it. */
export interface ServedLab {
  readonly lab: StandardLab;
  readonly client: ApiClient;
}

/** A guest that runs, with its own network set up as its system would. */
export interface RunningGuest {
  readonly guest: Guest;
  /** The interface of the host that its packets come in on. */
  readonly link: string;
  /** The guest's own interface behind it. */
  readonly ifname: string;
  readonly address: string;
  readonly gateway: string;
  /** By the API; then the guest's processes are ended. */
  stop(): Promise<void>;
}

export interface GuestKind {
  readonly name: string;
  start(rig: ServedLab): Promise<RunningGuest>;
}

/** A field of the API in network byte order as text: its bytes in memory are a, b, c, d. */
export function dotted(networkOrder: number): string {
  return [0, 8, 16, 24].map((shift) => (networkOrder >>> shift) & 0xff).join('.');
}

/** The reverse: 100.115.92.2 is 0x025c7364. */
export function networkOrder(address: string): number {
  return address.split('.').reduceRight((value, byte) => value * 256 + Number(byte), 0);
}

/** Locally administered, as a VMM would choose it. */
export const guestMac = (number: number): string => `52:54:00:00:00:${number.toString(16).padStart(2, '0')}`;

/** `uid`: user that opens the TAP, without privileges. */
export async function startTermina(rig: ServedLab, cid: number, uid?: number): Promise<RunningGuest> {
  const { device } = await rig.client.ask('TerminaVmStartup', { cid });
  const shutDown = (): Promise<unknown> => rig.client.ask('TerminaVmShutdown', { cid });
  return plugVm(rig, { name: `termina${cid}`, mac: guestMac(cid), device, uid, shutDown });
}

/** `subnetIndex` 0: any. `uid`: as above. */
export async function startPlugin(
  rig: ServedLab,
  number: number,
  subnetIndex = 0,
  uid?: number,
): Promise<RunningGuest> {
  const id = BigInt(number);
  const { device } = await rig.client.ask('PluginVmStartup', { id, subnetIndex });
  const shutDown = (): Promise<unknown> => rig.client.ask('PluginVmShutdown', { id });
  return plugVm(rig, { name: `plugin${number}`, mac: guestMac(number + 100), device, uid, shutDown });
}

interface Vm {
  readonly name: string;
  readonly mac: string;
  readonly device: Messages['NetworkDevice'] | undefined;
  readonly uid: number | undefined;
  readonly shutDown: () => Promise<unknown>;
}

async function plugVm(rig: ServedLab, { name, mac, device, uid, shutDown }: Vm): Promise<RunningGuest> {
  if (device === undefined) throw new Error('the reply has no device');
  const [address, gateway] = [dotted(device.ipv4Addr), dotted(device.hostIpv4Addr)];
  const guest = await rig.lab.guest(name);
  const stop = stopper(shutDown, guest);
  await plugTap(rig.lab.host, guest, {
    tap: device.ifname,
    mac,
    address: `${address}/${device.ipv4Subnet?.prefixLen ?? 32}`,
    gateway,
    ...(uid === undefined ? {} : { uid }),
  }).catch(async (fault: unknown) => {
    await stop(); // what did not come up altogether is in nobody's way
    throw fault;
  });
  return { guest, link: device.ifname, ifname: 'eth0', address, gateway, stop };
}

/** Android as a VM on its management TAP and on that of eth0. */
export async function startArcVm(rig: ServedLab, cid: number): Promise<RunningGuest> {
  const { devices } = await rig.client.ask('ArcVmStartup', { cid });
  const [management = '', ethernet = ''] = devices.map(({ ifname }) => ifname);
  const guest = await rig.lab.guest('arcvm');
  const [address, gateway] = ['100.115.92.6', '100.115.92.5'];
  await plugTap(rig.lab.host, guest, {
    tap: management,
    ifname: 'arc0',
    mac: guestMac(1),
    address: '100.115.92.2/30',
  });
  await plugTap(rig.lab.host, guest, { tap: ethernet, mac: guestMac(2), address: `${address}/30`, gateway });
  const stop = stopper(() => rig.client.ask('ArcVmShutdown', { cid }), guest);
  return { guest, link: 'arc_eth0', ifname: 'eth0', address, gateway, stop };
}

/** Android as a container, whose init is the holder of a namespace. It chooses its routes itself. */
export async function startArcContainer(rig: ServedLab): Promise<RunningGuest> {
  const guest = await rig.lab.guest('android');
  await rig.client.ask('ArcStartup', { pid: guest.pid });
  const [address, gateway] = ['100.115.92.6', '100.115.92.5'];
  await guest.ok('ip', ['route', 'add', 'default', 'via', gateway, 'dev', 'eth0']);
  const stop = stopper(() => rig.client.ask('ArcShutdown', { pid: guest.pid }), guest);
  return { guest, link: 'arc_eth0', ifname: 'eth0', address, gateway, stop };
}

const stopper = (shutDown: () => Promise<unknown>, guest: Guest) => async (): Promise<void> => {
  await shutDown();
  await guest.end();
};

export const GUEST_KINDS: readonly GuestKind[] = [
  { name: 'Termina VM', start: (rig) => startTermina(rig, 5) },
  { name: 'Plugin VM', start: (rig) => startPlugin(rig, 6) },
  { name: 'ARC VM', start: (rig) => startArcVm(rig, 7) },
  { name: 'ARC container', start: startArcContainer },
];
