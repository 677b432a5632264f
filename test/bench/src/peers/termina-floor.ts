import { dotted, type ApiClient } from '@pp/lab';
import type { Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { copyTable, elementsIn } from './like-ours';

/** Another way to start one Termina VM's network, and to stop it. Both give the milliseconds that they took. */
export interface VmPeer {
  start(): Promise<number>;
  stop(): Promise<number>;
}

/** What a Termina VM's user must know to use its TAP. */
export interface TerminaLink {
  readonly tap: string;
  readonly host: string;
  readonly guest: string;
}

export interface TerminaFloor {
  readonly peer: VmPeer;
  readonly link: TerminaLink;
}

/** floor/termina-floor.c on `floor`, with the manager's table and all that a start of VM `cid` on `ours` makes. */
export async function terminaFloor(
  api: ApiClient,
  ours: Machine,
  floor: Machine,
  cid: number,
): Promise<TerminaFloor> {
  await copyTable(ours, floor);
  const before = new Set(await elementsIn(ours));
  const { device, containerSubnet } = await api.ask('TerminaVmStartup', { cid });
  if (device === undefined || containerSubnet === undefined) throw new Error('the reply lacks a part');
  const elements = (await elementsIn(ours)).filter((element) => !before.has(element));
  const { group, ifalias } = await linkOf(ours, device.ifname);
  await api.ask('TerminaVmShutdown', { cid });
  const [host, guest] = [dotted(device.hostIpv4Addr), dotted(device.ipv4Addr)];
  const tap = [device.ifname, String(process.getuid?.() ?? 0), host, String(device.ipv4Subnet?.prefixLen)];
  const containers = [dotted(containerSubnet.baseAddr), String(containerSubnet.prefixLen)];
  const program = new LineProgram(floor.host, programPath('termina-floor'), [
    ...[...tap, guest, ...containers, ifalias, group],
    ...elements,
  ]);
  return {
    peer: {
      start: async () => millisOf(await program.ask('start')),
      stop: async () => millisOf(await program.ask('stop')),
    },
    link: { tap: device.ifname, host, guest },
  };
}

interface LinkFact {
  readonly group: string;
  readonly ifalias: string;
}

async function linkOf({ host }: Machine, ifname: string): Promise<LinkFact> {
  const [link] = (await host.json('ip', '-j', '-d', 'link', 'show', ifname)) as readonly LinkFact[];
  if (link === undefined) throw new Error(`a start of the manager made no ${ifname}`);
  return link;
}
