import { seconds } from '@pp/base';
import { program, until, type Child, type Host } from '@pp/lab';
import type { Bed } from '../bed/bed';
import { LineProgram } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { cpuSecondsOf, restingMb } from '../manager/process';
import { hoped, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** Broadcasts through a relay: sender -- relay -- listener. */
export const bcastFigure: Figure = {
  name: 'bcast-fwd',
  about: 'broadcasts relayed by bcast-fwd, beside a C program that does nothing else',
  measure,
};

/** More than either relays: what arrives is what it can do. */
const FLOOD = 400_000;
const STEADY = 10_000;
/** Before anything is measured: a relay runs for weeks, its first milliseconds do not count. */
const WARM_UP_MS = 2000;

/** One relay between its own sender and its own listener. */
interface Way {
  readonly sender: Host;
  readonly relay: Child;
  readonly listener: LineProgram;
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const ours = await way(bed, 'ours', startOurs);
  const floor = await way(bed, 'floor', startFloor);
  for (const each of [ours, floor]) await flood(each, STEADY, WARM_UP_MS);
  const [rounds, spanMs] = settings.quick ? [3, 500] : [9, 2000];
  const rate = await interleave(
    rounds,
    { ours: () => perSecond(ours, spanMs), floor: () => perSecond(floor, spanMs) },
    progress(settings, 'bcast-fwd: flood', rounds),
  );
  const cpu = await interleave(
    settings.quick ? 1 : 5,
    { ours: () => cpuSeconds(ours), floor: () => cpuSeconds(floor) },
    progress(settings, 'bcast-fwd: CPU', settings.quick ? 1 : 5),
  );
  const memory = await memoryRow(ours.relay.pid);
  await Promise.all([ours.relay.stop(), floor.relay.stop()]);
  return [rateRow(rate), cpuRow(cpu), memory];
}

async function way(bed: Bed, name: string, start: (host: Host) => Promise<Child>): Promise<Way> {
  const [sender, host, guest] = [
    await bed.lab.host(`${name}-sender`),
    await bed.lab.host(`${name}-relay`),
    await bed.lab.host(`${name}-listener`),
  ];
  await host.shell(`
    ip link add lan0 type veth peer name eth0 netns ${sender.pid}
    ip link add guest0 type veth peer name eth0 netns ${guest.pid}
    for i in lan0 guest0; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; ip link set $i up; done
    ip addr add 192.168.77.2/24 dev lan0
    ip addr add 100.115.92.25/30 dev guest0`);
  for (const place of [sender, guest]) await place.shell('ip link set eth0 up');
  const listener = new LineProgram(guest, programPath('bcast-traffic'), ['count', 'eth0']);
  await listener.next();
  const relay = await start(host);
  const made: Way = { sender, relay, listener };
  await until(`${name} relays`, async () => (await flood(made, 1000, 10)).arrived > 0);
  return made;
}

async function startOurs(host: Host): Promise<Child> {
  const args = ['--state-dir', '/run/lab/bcast-fwd', '--rate', '0', 'lan0', 'guest0'];
  const child = host.spawn(program('bcast-fwd'), args);
  await child.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
  return child;
}

async function startFloor(host: Host): Promise<Child> {
  const child = host.spawn(programPath('bcast-floor'), ['lan0', 'guest0']);
  await child.line('ready', (line) => (line === 'ready' ? true : undefined));
  return child;
}

interface Flooded {
  readonly sent: number;
  readonly arrived: number;
}

async function flood({ sender, listener }: Way, rate: number, spanMs: number): Promise<Flooded> {
  await listener.ask('');
  const args = ['flood', 'eth0', String(rate), String(spanMs)];
  const sent = Number(await sender.ok(programPath('bcast-traffic'), args, { timeout: seconds(60) }));
  let arrived = 0;
  for (let more = -1; more !== 0; arrived += more) more = Number(await listener.ask('')); // until no more come
  return { sent, arrived };
}

async function perSecond(way: Way, spanMs: number): Promise<number> {
  const { arrived } = await flood(way, FLOOD, spanMs);
  return arrived / spanMs; // thousands a second
}

/** CPU seconds of the relay for 100,000 broadcasts that arrived, at a steady rate. */
async function cpuSeconds(way: Way): Promise<number> {
  const before = cpuSecondsOf(way.relay.pid);
  const { arrived } = await flood(way, STEADY, 10_000);
  return (cpuSecondsOf(way.relay.pid) - before) * (100_000 / arrived);
}

interface Samples {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

const bothText = ({ ours, floor }: Samples, unit: string): string =>
  `bcast-fwd: ${spreadText(spreadOf(ours), unit)}; C: ${spreadText(spreadOf(floor), unit)}`;

function rateRow(samples: Samples): Row {
  const spread = spreadOf(pairRatios(samples.ours, samples.floor));
  return {
    name: 'bcast-fwd: broadcasts relayed a second, share of the C program’s',
    measured: spread.median,
    unit: 'x',
    goal: { kind: 'at least', value: 0.5, enforced: false },
    spread,
    details: [
      bothText(samples, 'thousand/s'),
      `${FLOOD} of 100 bytes a second offered; sender, relay and listener share this machine’s cores`,
    ],
  };
}

function cpuRow(samples: Samples): Row {
  const spread = spreadOf(pairRatios(samples.ours, samples.floor));
  return {
    name: 'bcast-fwd: CPU for 100,000 broadcasts, times the C program’s',
    measured: spread.median,
    unit: 'x',
    goal: hoped(2.5),
    spread,
    details: [
      bothText(samples, 's'),
      `${STEADY} a second; bcast-fwd also checks addresses, ports, rules, rates and loops, and counts`,
    ],
  };
}

async function memoryRow(pid: number): Promise<Row> {
  const { atOnce, atRest } = await restingMb(pid);
  return {
    name: 'bcast-fwd: resident memory after all of this, at rest',
    measured: atRest,
    unit: 'MB',
    goal: hoped(55),
    spread: null,
    details: [`at the end of the load: ${atOnce.toFixed(1)} MB`],
  };
}
