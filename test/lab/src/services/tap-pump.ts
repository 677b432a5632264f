import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Child } from '../child';
import type { Guest } from '../host';
import type { Place } from '../place';
import { passesFrames } from './links';

/** A network card of a VM: what the VMM would be told, and how the guest's own network set-up would be. */
export interface Nic {
  /** The manager's TAP on the host. */
  readonly tap: string;
  /** Of the card in the guest; default eth0. */
  readonly ifname?: string;
  readonly mac: string;
  /** With prefix length. */
  readonly address: string;
  /** Default: no default route. */
  readonly gateway?: string;
  /** User that opens the TAP, without privileges; default: root, who may open any. */
  readonly uid?: number;
}

/**
 * Plugs `guest` into a TAP of its host: a process on the host holds the TAP as a VMM does, and carries frames between it and a second
 * TAP in the guest, which has Linux's own network stack behind it. It lives until the TAP is deleted, whatever becomes of the manager. Frames pass
 * when it resolves.
 */
export async function plugTap(host: Place, guest: Guest, nic: Nic): Promise<Child> {
  const { tap, ifname = 'eth0', mac, address, gateway, uid } = nic;
  const pump = await startPump(host, [
    tap,
    String(guest.pid),
    ifname,
    mac,
    ...(uid === undefined ? [] : [String(uid)]),
  ]);
  await guest.shell(`
    echo 0 > /proc/sys/net/ipv6/conf/${ifname}/accept_dad
    ip addr add ${address} brd + dev ${ifname}
    ip link set ${ifname} up
    ${gateway === undefined ? '' : `ip route add default via ${gateway} dev ${ifname}`}`);
  await passesFrames(host, tap);
  return pump;
}

async function startPump(host: Place, args: readonly string[]): Promise<Child> {
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const main = join(__dirname, 'tap-pump-main.ts');
  const pump = host.spawn(process.execPath, ['--import', loader, main, ...args]);
  await pump.line('sign of being ready', (line) => (line === 'ready' ? true : undefined));
  return pump;
}
