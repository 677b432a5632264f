import { settled, type Bed, type Machine } from '../bed/bed';
import { LineProgram } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { Manager } from '../manager/manager';
import { atLeast, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { POOL } from './pool';
import { progress, type Figure, type Settings } from './figure';

/** What a guest's packets cost must not depend on how many guests and port rules there are. */
export const trafficFigure: Figure = {
  name: 'traffic',
  about: '64-byte UDP and TCP through the NAT path with 500 guests and 1,000 port rules against 1 guest',
  measure,
};

const PORT_RULES = 1000;
const [UDP_PORT, TCP_PORT] = [9, 5001];
/** 14 Ethernet + 20 IPv4 + 8 UDP + 22 = a frame of 64 bytes. */
const PAYLOAD = 22;

/** A guest of a machine, by its process. */
export interface Sender {
  readonly machine: Machine;
  readonly guest: number;
}

/** A machine with guests, one of which sends. */
interface Way extends Sender {
  readonly manager: Manager;
  readonly tcpSink: LineProgram;
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const [rounds, spanMs] = settings.quick ? [3, 300] : [15, 1000];
  const one = await way(bed, 'one', 1);
  const many = await way(bed, 'many', 500);
  for (let port = 1; port <= PORT_RULES; port++) await many.manager.client.openPort(port);
  await countDatagrams(bed, [one, many]);
  for (const each of [one, many]) await proveReno(bed, each);
  await settled(many.machine);
  const udp = await interleave(
    rounds,
    { many: () => kpps(bed, many, spanMs), one: () => kpps(bed, one, spanMs) },
    progress(settings, 'UDP', rounds),
  );
  const tcp = await interleave(
    rounds,
    { many: () => gigabits(bed, many, spanMs), one: () => gigabits(bed, one, spanMs) },
    progress(settings, 'TCP', rounds),
  );
  await Promise.all([one.manager.stop(), many.manager.stop()]);
  return [
    row('traffic: 64-byte UDP with 500 guests and 1,000 port rules, share of with 1', udp, 'kpps'),
    row('traffic: TCP with 500 guests and 1,000 port rules, share of with 1', tcp, 'Gbit/s'),
  ];
}

/** The last of the guests sends. */
async function way(bed: Bed, name: string, guests: number): Promise<Way> {
  const machine = await bed.machine(name);
  const manager = await Manager.start(bed, machine, { args: POOL });
  const pids = await bed.namespaces(guests);
  await manager.connectAll(pids);
  const tcpSink = new LineProgram(bed.sink, programPath('traffic'), [
    'tcp-sink',
    machine.sink,
    String(TCP_PORT),
  ]);
  await tcpSink.next();
  return { machine, manager, guest: pids.at(-1) ?? 0, tcpSink };
}

/** Counts at the sink, before any socket, what came out of the NAT, and drops it: no receiver takes part of a core. */
export async function countDatagrams(bed: Bed, ways: readonly Pick<Way, 'machine'>[]): Promise<void> {
  const counters = ways.map(({ machine }) => `counter ${machine.cable} { }`);
  const rules = ways.map(
    ({ machine: { cable, address } }) =>
      `iifname ${cable} ip saddr ${address} udp dport ${UDP_PORT} counter name ${cable} drop`,
  );
  const chain = `chain in { type filter hook prerouting priority raw; ${rules.join('; ')}; }`;
  await bed.sink.ok('nft', ['-f', '-'], {
    input: `table inet bench {\n${[...counters, chain].join('\n')}\n}\n`,
  });
}

async function proveReno(bed: Bed, { guest, machine }: Way): Promise<void> {
  const ask = ['sysctl', '-n', 'net.ipv4.tcp_congestion_control'];
  const answers = await Promise.all([
    bed.sink.ok('nsenter', ['-t', String(guest), '-n', ...ask]),
    bed.sink.ok('nsenter', ['-t', String(bed.sink.pid), '-n', ...ask]),
    machine.host.ok(ask.join(' ').split(' ')[0] ?? '', ask.slice(1)),
  ]);
  if (answers.some((answer) => answer.trim() !== 'reno'))
    throw new Error(`congestion control is ${answers.join()}`);
}

/** Thousands of packets a second that arrived at the sink. */
export async function kpps(bed: Bed, way: Sender, spanMs: number): Promise<number> {
  const before = await arrived(bed, way);
  await send(bed, way, 'udp', UDP_PORT, [String(spanMs), String(PAYLOAD)]);
  return ((await arrived(bed, way)) - before) / spanMs;
}

async function arrived(bed: Bed, { machine }: Sender): Promise<number> {
  const listing = await bed.sink.json('nft', '-j', 'list', 'counter', 'inet', 'bench', machine.cable);
  const { nftables } = listing as {
    readonly nftables: readonly { readonly counter?: { readonly packets: number } }[];
  };
  return nftables.find(({ counter }) => counter !== undefined)?.counter?.packets ?? NaN;
}

async function gigabits(bed: Bed, way: Way, spanMs: number): Promise<number> {
  const received = way.tcpSink.next();
  await send(bed, way, 'tcp', TCP_PORT, [String(spanMs)]);
  const [bytes = NaN, nanoseconds = NaN] = (await received).split(' ').map(Number);
  return (8 * bytes) / nanoseconds;
}

async function send(
  bed: Bed,
  way: Sender,
  kind: 'udp' | 'tcp',
  port: number,
  rest: readonly string[],
): Promise<void> {
  const program = [programPath('traffic'), kind, way.machine.sink, String(port), ...rest];
  await bed.sink.ok('nsenter', ['-t', String(way.guest), '-n', ...program]);
}

function row(name: string, samples: Readonly<Record<'many' | 'one', readonly number[]>>, unit: string): Row {
  const spread = spreadOf(pairRatios(samples.many, samples.one));
  return {
    name,
    measured: spread.median,
    unit: 'x',
    goal: atLeast(0.95),
    spread,
    details: [
      `with 500: ${spreadText(spreadOf(samples.many), unit)}; with 1: ${spreadText(spreadOf(samples.one), unit)}`,
      'guest, two veths, NAT, one cable, sink; reno in every namespace; limit: the kernel on one core',
    ],
  };
}
