import { seconds } from '@pp/base';
import { program, until, type Child, type Host } from '@pp/lab';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed';
import { LineProgram } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { cpuSecondsOf, residentMb } from '../manager/process';
import { atLeast, atMost, hoped, unmeasured, type Goal, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** client -- relay -- server, three machines with a cable between each two; all relays run on the one in the middle. */
export const adbProxyFigure: Figure = {
  name: 'adb-proxy',
  about: 'TCP relayed by adb-proxy, beside haproxy (tcp mode) and socat',
  measure,
};

const [CLIENT, RELAY, RELAY_INNER, SERVER] = ['198.18.1.1', '198.18.1.2', '198.18.2.2', '198.18.2.1'];
const [BULK_PORT, SMALL_PORT] = [5201, 7000];
const IDLE = 1000;

type Relay = 'ours' | 'haproxy' | 'socat';

/** A relay of bulk traffic and one of small conversations, by different ports of one machine. */
interface Way {
  readonly bulk: number;
  readonly small: number;
  readonly processes: readonly Child[];
}

interface Scene {
  readonly client: Host;
  readonly relay: Host;
  readonly server: Host;
}

interface Bulk {
  readonly gigabits: number;
  readonly cpuPerGb: number;
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const missing = await missingHere(bed);
  if (missing !== '') return [unmeasured('adb-proxy: beside haproxy and socat', `not installed: ${missing}`)];
  const scene = await openScene(bed);
  const ways = { ours: await startOurs(scene), haproxy: await startHaproxy(scene), socat: startSocat(scene) };
  for (const each of Object.values(ways)) await reachable(scene, each);
  const idleMb = ways.ours.processes.map(({ pid }) => residentMb(pid)); // of both, before any load
  const rounds = settings.quick ? 3 : 11;
  const spanSec = settings.quick ? 1 : 2;
  const one = await bulks(scene, ways, 1, spanSec, rounds, settings);
  const ten = await bulks(scene, ways, 10, spanSec, rounds, settings);
  const small = await interleave(
    rounds,
    {
      ours: () => conversations(scene, ways.ours),
      haproxy: () => conversations(scene, ways.haproxy),
      socat: () => conversations(scene, ways.socat),
    },
    progress(settings, 'connections a second', rounds),
  );
  const held = { ours: await holdIdle(scene, ways.ours), haproxy: await holdIdle(scene, ways.haproxy) };
  return [
    ratioRow(
      'adb-proxy: throughput, 1 connection, of haproxy’s',
      pick(one, 'gigabits'),
      'Gbit/s',
      atLeast(1),
    ),
    ratioRow(
      'adb-proxy: throughput, 10 connections, of haproxy’s',
      pick(ten, 'gigabits'),
      'Gbit/s',
      atLeast(0.8),
    ),
    ratioRow('adb-proxy: CPU per GB, 1 connection, of haproxy’s', pick(one, 'cpuPerGb'), 's', atMost(1.1)),
    ratioRow('adb-proxy: CPU per GB, 10 connections, of haproxy’s', pick(ten, 'cpuPerGb'), 's', atMost(1.1)),
    ratioRow('adb-proxy: connections a second, of haproxy’s', small, '/s', atLeast(0.5)),
    memoryRow(
      `adb-proxy: resident with ${IDLE} idle connections`,
      held.ours,
      hoped(90),
      `haproxy: ${held.haproxy.toFixed(1)} MB`,
    ),
    memoryRow(
      'adb-proxy: resident with none',
      Math.max(...idleMb),
      hoped(60),
      'the addon and the event loop',
    ),
  ];
}

async function missingHere({ sink }: Bed): Promise<string> {
  return (
    await sink.shell('for each in haproxy socat iperf3; do command -v $each > /dev/null || echo $each; done')
  ).trim();
}

async function openScene(bed: Bed): Promise<Scene> {
  const [client, relay, server] = [
    await bed.lab.host('client'),
    await bed.lab.host('relay'),
    await bed.lab.host('server'),
  ];
  await relay.shell(`
    ip link add eth0 type veth peer name eth0 netns ${client.pid}
    ip link add eth1 type veth peer name eth0 netns ${server.pid}
    ip addr add ${RELAY}/24 dev eth0; ip link set eth0 up
    ip addr add ${RELAY_INNER}/24 dev eth1; ip link set eth1 up`);
  await client.shell(`ip addr add ${CLIENT}/24 dev eth0; ip link set eth0 up`);
  await server.shell(`ip addr add ${SERVER}/24 dev eth0; ip link set eth0 up`);
  for (const each of [client, relay, server]) {
    await each.shell(
      'echo 2000 65000 > /proc/sys/net/ipv4/ip_local_port_range; echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse',
    );
    const control = (await each.shell('cat /proc/sys/net/ipv4/tcp_congestion_control')).trim();
    if (control !== 'reno') throw new Error(`congestion control is ${control}`);
  }
  server.spawn('iperf3', ['-s', '-p', String(BULK_PORT)]);
  await new LineProgram(server, programPath('tcp-load'), ['serve', SERVER, String(SMALL_PORT)]).next();
  return { client, relay, server };
}

async function startOurs({ relay }: Scene): Promise<Way> {
  const [bulk, small] = [8001, 8002];
  const start = async (port: number, target: number): Promise<Child> => {
    const child = relay.spawn(program('adb-proxy'), [
      ...['--state-dir', `/run/lab/adb-proxy-${port}`, '--log-level', 'warn'],
      ...['--listen', `${RELAY}:${port}`, '--from', '198.18.1.0/24', '--connect', `tcp:${SERVER}:${target}`],
      ...['--max-connections', '4000', '--max-per-source', '4000'],
    ]);
    const ask = ['status', '--json', '--state-dir', `/run/lab/adb-proxy-${port}`];
    await until('adb-proxy answers', () => relay.ok(program('adb-proxy'), ask));
    return child;
  };
  return { bulk, small, processes: [await start(bulk, BULK_PORT), await start(small, SMALL_PORT)] };
}

/** One process with a thread for each core, as it is by default; no splicing, which is off by default. */
async function startHaproxy({ relay }: Scene): Promise<Way> {
  const [bulk, small] = [8003, 8004];
  const start = (port: number, target: number): Child => {
    const config = `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 5m
  timeout server 5m
listen relay
  bind ${RELAY}:${port}
  server one ${SERVER}:${target}
`;
    writeFileSync(join(relay.shared, `haproxy-${port}.cfg`), config);
    return relay.spawn('haproxy', ['-db', '-q', '-f', `/run/lab/haproxy-${port}.cfg`]);
  };
  return Promise.resolve({ bulk, small, processes: [start(bulk, BULK_PORT), start(small, SMALL_PORT)] });
}

function startSocat({ relay }: Scene): Way {
  const [bulk, small] = [8005, 8006];
  const start = (port: number, target: number): Child =>
    relay.spawn('socat', [
      `TCP-LISTEN:${port},bind=${RELAY},fork,reuseaddr,backlog=512`,
      `TCP:${SERVER}:${target}`,
    ]);
  return { bulk, small, processes: [start(bulk, BULK_PORT), start(small, SMALL_PORT)] };
}

async function reachable({ client }: Scene, { small, bulk }: Way): Promise<void> {
  for (const port of [small, bulk])
    await until(`port ${port} is relayed`, async () => {
      const { code } = await client.run('bash', ['-c', `exec 3<>/dev/tcp/${RELAY}/${port}`]);
      return code === 0;
    });
}

async function bulks(
  scene: Scene,
  ways: Readonly<Record<Relay, Way>>,
  connections: number,
  spanSec: number,
  rounds: number,
  settings: Settings,
): Promise<Readonly<Record<Relay, readonly Bulk[]>>> {
  const samples: Record<Relay, Bulk[]> = { ours: [], haproxy: [], socat: [] };
  const sample = (name: Relay) => async (): Promise<number> => {
    const found = await bulk(scene, ways[name], connections, spanSec);
    samples[name].push(found);
    return found.gigabits;
  };
  const contenders = { ours: sample('ours'), haproxy: sample('haproxy'), socat: sample('socat') };
  await interleave(rounds, contenders, progress(settings, `throughput, ${connections}`, rounds));
  return samples;
}

/** What arrived, and what the relay's process took for it. socat's children die with their connections: its CPU is not told. */
async function bulk(
  { client }: Scene,
  { bulk: port, processes }: Way,
  connections: number,
  spanSec: number,
): Promise<Bulk> {
  const pid = processes[0]?.pid ?? 0;
  const before = cpuSecondsOf(pid);
  const args = ['-c', RELAY, '-p', String(port), '-t', String(spanSec), '-P', String(connections), '-J'];
  const text = await client.ok('iperf3', args, { timeout: seconds(spanSec + 20) });
  const cpuSec = cpuSecondsOf(pid) - before;
  const { end } = JSON.parse(text) as {
    readonly end: { readonly sum_received: { readonly bytes: number; readonly bits_per_second: number } };
  };
  const { bytes, bits_per_second } = end.sum_received;
  return { gigabits: bits_per_second / 1e9, cpuPerGb: cpuSec / (bytes / 1e9) };
}

const [SMALL_MS, WORKERS] = [1000, 8];

async function conversations({ client }: Scene, { small }: Way): Promise<number> {
  const args = ['rate', RELAY, String(small), String(SMALL_MS), String(WORKERS)];
  return Number(await client.ok(programPath('tcp-load'), args, { timeout: seconds(30) })) / (SMALL_MS / 1000);
}

/** MB of the relay while so many connections wait. */
async function holdIdle({ client }: Scene, { small, processes }: Way): Promise<number> {
  const holder = client.spawn(programPath('tcp-load'), ['hold', RELAY, String(small), String(IDLE)], {
    stdio: 'open',
  });
  await holder.line(`${IDLE} connections`, (line) => (line === `held ${IDLE}` ? true : undefined));
  const measured = residentMb(processes[1]?.pid ?? 0);
  await holder.stop();
  return measured;
}

const pick = (
  samples: Readonly<Record<Relay, readonly Bulk[]>>,
  key: keyof Bulk,
): Readonly<Record<Relay, readonly number[]>> => ({
  ours: samples.ours.map((each) => each[key]),
  haproxy: samples.haproxy.map((each) => each[key]),
  socat: key === 'cpuPerGb' ? [] : samples.socat.map((each) => each[key]),
});

function ratioRow(
  name: string,
  samples: Readonly<Record<Relay, readonly number[]>>,
  unit: string,
  goal: Goal,
): Row {
  const spread = spreadOf(pairRatios(samples.ours, samples.haproxy));
  const all = Object.entries(samples).filter(([, values]) => values.length > 0);
  const details = all.map(
    ([relay, values]) => `${relay === 'ours' ? 'adb-proxy' : relay}: ${spreadText(spreadOf(values), unit)}`,
  );
  return { name, measured: spread.median, unit: 'x', goal, spread, details };
}

const memoryRow = (name: string, measured: number, goal: Goal, detail: string): Row => ({
  name,
  measured,
  unit: 'MB',
  goal,
  spread: null,
  details: [detail],
});
