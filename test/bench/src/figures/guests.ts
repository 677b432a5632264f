import { ApiClient, guestMac, plugTap } from '@pp/lab';
import type { Bed, Machine } from '../bed/bed';
import { addedBy, lackedFacts } from '../bed/same-state';
import { Manager } from '../manager/manager';
import { ThinClient } from '../manager/thin-client';
import { terminaFloor, type TerminaLink, type VmPeer } from '../peers/termina-floor';
import { atMost, hoped, ratioRow, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { pairRatios } from '../stats/interleave';
import { pairsOf, type Pairs, type TwoWays } from '../stats/pairs';
import { median, spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/**
 * TerminaVmStartup by D-Bus, request to reply, against the same kernel objects by ioctl and raw netlink; twice, for V8 compiles a process's
 * code as it runs.
 */
export const guestsFigure: Figure = {
  name: 'guests',
  about: 'TerminaVmStartup against raw netlink',
  measure,
};

const CID = 5;
type Name = 'ours' | 'floor';

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 20 : 200;
  const machines = { ours: await bed.machine('manager'), floor: await bed.machine('floor') };
  await machines.floor.host.shell('echo 1 > /proc/sys/net/ipv4/ip_forward');
  const manager = await Manager.start(bed, machines.ours);
  const api = await ApiClient.open(manager.bus.outside);
  const { peer, link } = await terminaFloor(api, machines.ours, machines.floor, CID);
  const client = new ThinClient(machines.ours, manager.bus);
  const ours = { start: () => client.startTermina(CID), stop: () => client.stopTermina(CID) };
  const peers = { ours, floor: peer };
  for (const name of ['ours', 'floor'] as const)
    await proveReach(bed, name, peers[name], machines[name], link);
  const facts = { ours: await added(machines.ours, ours), floor: await added(machines.floor, peer) };

  const waysOf = (vm: VmPeer): TwoWays => ({ up: () => vm.start(), down: () => vm.stop() });
  const series = (what: string): Promise<Pairs> =>
    pairsOf(rounds, waysOf(ours), waysOf(peer), progress(settings, what, rounds));
  const young = await series('Termina');
  const pairs = await series('Termina again');
  const bus = median(await client.pings(rounds));
  api.close();
  await manager.stop();
  const kernel = median(pairs.up.peer).toFixed(3);
  return [
    {
      ...ratioRow('guests: TerminaVmStartup, times the raw-netlink floor', times(pairs)),
      goal: atMost(3),
      details: [
        ...told(pairs, `timed starts ${rounds + 1} to ${2 * rounds} of the manager`),
        `of ours, ${kernel} ms is the kernel (the floor) and ${bus.toFixed(3)} ms an empty call by the same bus`,
      ],
    },
    {
      ...ratioRow('guests: the same, of a young process', times(young)),
      goal: hoped(3),
      details: [...told(young, `timed starts 1 to ${rounds}`), 'V8 has compiled little of it yet'],
    },
    lackedFacts('guests', 'start', facts.ours, facts.floor),
  ];
}

/** A start that is fast because it does not work has no place in the table. */
async function proveReach(
  bed: Bed,
  name: Name,
  peer: VmPeer,
  { host, sink }: Machine,
  { tap, host: gateway, guest: address }: TerminaLink,
): Promise<void> {
  await peer.start();
  const guest = await bed.lab.guest(host, `${name}-vm`);
  await plugTap(host, guest, { tap, mac: guestMac(CID), address: `${address}/30`, gateway });
  await guest.ok('ping', ['-c', '1', '-W', '3', sink]).catch((cause: unknown) => {
    throw new Error(`${name}: the VM does not reach ${sink}`, { cause });
  });
  await guest.end();
  await peer.stop();
}

async function added(machine: Machine, peer: VmPeer): Promise<readonly string[]> {
  const facts = await addedBy(machine, null, () => peer.start());
  await peer.stop();
  return facts;
}

const times = ({ up }: Pairs): readonly number[] => pairRatios(up.ours, up.peer);

function told({ up, down }: Pairs, which: string): readonly string[] {
  const line = (who: string, whose: 'ours' | 'peer'): string =>
    `${who}: ${spreadText(spreadOf(up[whose]), 'ms')}; stop ${spreadText(spreadOf(down[whose]), 'ms')}`;
  return [
    line(`ours, ${which}, request to reply, timed in C`, 'ours'),
    line('C, the TAP by ioctl, one socket per family', 'peer'),
  ];
}
