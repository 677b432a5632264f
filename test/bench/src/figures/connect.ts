import type { Bed, Machine } from '../bed/bed';
import { addedBy, lackedFacts } from '../bed/same-state';
import type { Connection } from '../manager/client';
import { Manager } from '../manager/manager';
import { ThinClient } from '../manager/thin-client';
import { cniPlugins } from '../peers/cni';
import { rawNetlink } from '../peers/floor';
import { likeOurs } from '../peers/like-ours';
import type { Peer } from '../peers/peer';
import { processPerStep } from '../peers/steps';
import { atLeast, atMost, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios, type Contender } from '../stats/interleave';
import { median, spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** ConnectNamespace of an existing namespace by D-Bus, request to reply, against the peers and the floor. */
export const connectFigure: Figure = {
  name: 'connect',
  about: 'ConnectNamespace against CNI, a process per step, and raw netlink',
  measure,
};

const NAMES = ['ours', 'cni', 'steps', 'floor'] as const;
type Name = (typeof NAMES)[number];
type Samples = Readonly<Record<Name, readonly number[]>>;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 20 : 200;
  const pids = await bed.namespaces(rounds);
  const [ours, cni, steps, floor] = [
    await bed.machine('manager'),
    await bed.machine('cni'),
    await bed.machine('steps'),
    await bed.machine('floor'),
  ];
  const manager = await Manager.start(bed, ours);
  const client = new ThinClient(ours, manager.bus);
  for (const { host } of [steps, floor]) await host.shell('echo 1 > /proc/sys/net/ipv4/ip_forward');
  const [first = 0] = pids;
  const peers = {
    ours: ourPeer(manager, client),
    cni: cniPlugins(cni),
    steps: processPerStep(steps),
    floor: rawNetlink(floor, await likeOurs(manager, floor, first)),
  };
  const machines: Readonly<Record<Name, Machine>> = { ours, cni, steps, floor };
  for (const name of NAMES) await proveReach(bed, name, peers[name], machines[name], first);
  const same = await sameState(peers, machines, first);

  const down: Record<Name, number[]> = { ours: [], cni: [], steps: [], floor: [] };
  const contender =
    (name: Name): Contender =>
    async (round) => {
      const pid = pids[round] ?? 0;
      const took = await peers[name].connect(pid);
      down[name].push(await peers[name].disconnect(pid));
      return took;
    };
  const contenders = {
    ours: contender('ours'),
    cni: contender('cni'),
    steps: contender('steps'),
    floor: contender('floor'),
  };
  const up = await interleave(rounds, contenders, progress(settings, 'connect', rounds));
  const bus = await client.pings(rounds);
  await manager.stop();
  return [...rowsOf(up, down, bus), same];
}

/** Its disconnect takes as long as the link is seen, which is asked every 20 ms. */
function ourPeer(manager: Manager, client: ThinClient): Peer {
  const held = new Map<number, Connection>(); // BOUNDED: one at a time
  return {
    connect: async (pid) => {
      const connection = await client.connectNamespace(pid);
      held.set(pid, connection);
      return connection.tookMs;
    },
    disconnect: async (pid) => {
      const connection = held.get(pid);
      if (connection === undefined) throw new Error(`namespace ${pid} is not connected`);
      held.delete(pid);
      const start = performance.now();
      await manager.release(connection);
      return performance.now() - start;
    },
  };
}

/** A contender that is fast because it does not work has no place in the table. */
async function proveReach(bed: Bed, name: Name, peer: Peer, { sink }: Machine, pid: number): Promise<void> {
  await peer.connect(pid);
  await bed.sink
    .ok('nsenter', ['-t', String(pid), '-n', 'ping', '-c', '1', '-W', '3', sink])
    .catch((cause: unknown) => {
      throw new Error(`${name}: the connected namespace does not reach ${sink}`, { cause });
    });
  await peer.disconnect(pid);
}

async function sameState(
  peers: Readonly<Record<Name, Peer>>,
  machines: Readonly<Record<Name, Machine>>,
  pid: number,
): Promise<Row> {
  const added = async (name: 'ours' | 'floor'): Promise<readonly string[]> => {
    const facts = await addedBy(machines[name], pid, () => peers[name].connect(pid));
    await peers[name].disconnect(pid);
    return facts.map((fact) => fact.replaceAll(/\b(arc_ns|veth|connected_netns_)\d+\b/g, '$1N'));
  };
  const [ours, floor] = [await added('ours'), await added('floor')];
  return lackedFacts('connect', 'connect', ours, floor);
}

function rowsOf(up: Samples, down: Samples, bus: readonly number[]): readonly Row[] {
  const told = (name: Name, who: string): string =>
    `${who}: ${spreadText(spreadOf(up[name]), 'ms')}; delete ${spreadText(spreadOf(down[name]), 'ms')}`;
  const ours = told('ours', 'ours, request to reply, timed in C');
  const faster = (name: 'cni' | 'steps'): readonly number[] => pairRatios(up[name], up.ours);
  const slower = pairRatios(up.ours, up.floor);
  const row = (name: string, ratios: readonly number[], rest: Pick<Row, 'goal' | 'details'>): Row => {
    const spread = spreadOf(ratios);
    return { name, measured: spread.median, unit: 'x', spread, ...rest };
  };
  const parts = `of ours, ${median(up.floor).toFixed(3)} ms is the kernel (the floor) and ${median(bus).toFixed(3)} ms an empty call by the same bus`;
  return [
    row('connect: faster than CNI', faster('cni'), {
      goal: atLeast(20),
      details: [
        ours,
        told('cni', 'bridge + host-local + portmap + firewall, started by C'),
        'limit of the peer: starting processes',
      ],
    }),
    row('connect: faster than a process per step', faster('steps'), {
      goal: atLeast(8),
      details: [
        ours,
        told('steps', '8 ip + 4 iptables, started by C'),
        'limit of the peer: starting processes',
      ],
    }),
    row('connect: times the raw-netlink floor', slower, {
      goal: atMost(3),
      details: [
        ours,
        told('floor', 'C, one socket per family'),
        `${parts}; our delete is seen by asking every 20 ms`,
      ],
    }),
  ];
}
