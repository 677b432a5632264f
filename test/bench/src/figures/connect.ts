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
import { atLeast, atMost, hoped, ratioRow, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { pairRatios } from '../stats/interleave';
import { pairsOf, type Pairs, type TwoWays } from '../stats/pairs';
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

/** Timed calls of the manager, one series of `rounds` after the other. */
interface Series extends Pairs {
  /** "timed calls 201 to 400 of the manager". */
  readonly calls: string;
}

/**
 * Ours in pairs with each peer, all by one manager. The floor comes first and again last: V8 compiles a process's code as it runs, so
 * that its first calls take longer than later ones.
 */
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

  const waysOf = (peer: Peer): TwoWays => ({
    up: (round) => peer.connect(pids[round] ?? 0),
    down: (round) => peer.disconnect(pids[round] ?? 0),
  });
  const series = async (nth: number, name: Exclude<Name, 'ours'>): Promise<Series> => ({
    ...(await pairsOf(rounds, waysOf(peers.ours), waysOf(peers[name]), progress(settings, name, rounds))),
    calls: `timed calls ${nth * rounds + 1} to ${(nth + 1) * rounds} of the manager`,
  });
  const measured = {
    young: await series(0, 'floor'),
    cni: await series(1, 'cni'),
    steps: await series(2, 'steps'),
    floor: await series(3, 'floor'),
  };
  const bus = await client.pings(rounds);
  await manager.stop();
  return [...rowsOf(measured, bus), same];
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

type Measured = Readonly<Record<'young' | 'cni' | 'steps' | 'floor', Series>>;

function rowsOf({ young, cni, steps, floor }: Measured, bus: readonly number[]): readonly Row[] {
  const parts = `of ours, ${median(floor.up.peer).toFixed(3)} ms is the kernel (the floor) and ${median(bus).toFixed(3)} ms an empty call by the same bus`;
  const faster = ({ up }: Pairs): readonly number[] => pairRatios(up.peer, up.ours);
  const slower = ({ up }: Pairs): readonly number[] => pairRatios(up.ours, up.peer);
  return [
    {
      ...ratioRow('connect: faster than CNI', faster(cni)),
      goal: atLeast(20),
      details: [...told(cni, 'bridge + host-local + portmap + firewall, started by C'), PROCESSES],
    },
    {
      ...ratioRow('connect: faster than a process per step', faster(steps)),
      goal: atLeast(8),
      details: [...told(steps, '8 ip + 4 iptables, started by C'), PROCESSES],
    },
    {
      ...ratioRow('connect: times the raw-netlink floor', slower(floor)),
      goal: atMost(3),
      details: [...told(floor, FLOOR), `${parts}; our delete is seen by asking every 20 ms`],
    },
    {
      ...ratioRow('connect: the same, of a young process', slower(young)),
      goal: hoped(3),
      details: [...told(young, FLOOR), 'V8 has compiled little of it yet'],
    },
  ];
}

const PROCESSES = 'limit of the peer: starting processes';
const FLOOR = 'C, one socket per family';

function told({ up, down, calls }: Series, peer: string): readonly string[] {
  const line = (who: string, which: 'ours' | 'peer'): string =>
    `${who}: ${spreadText(spreadOf(up[which]), 'ms')}; delete ${spreadText(spreadOf(down[which]), 'ms')}`;
  return [line(`ours, ${calls}, request to reply, timed in C`, 'ours'), line(peer, 'peer')];
}
