import { seconds } from '@pp/base';
import { program, until, type Child, type Host } from '@pp/lab';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed';
import { LineProgram } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { Collector } from '../manager/collector';
import { anonymousMb, cpuSecondsOf, restingMb } from '../manager/process';
import { hoped, unmeasured, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { slopeOf, type Point } from '../stats/trend';
import type { Figure, Settings } from './figure';

/** Neighbour discovery through a proxy: asker -- proxy -- a program that answers whatever is asked for. */
export const ndproxyFigure: Figure = {
  name: 'ndproxy',
  about: 'solicitations answered through ndproxy, beside Debian’s ndppd and the kernel’s proxy_ndp',
  measure,
};

/** Targets asked before anything is measured: a proxy runs for weeks, its first milliseconds do not count. */
const WARM_UP = 3000;
/** Targets of a round of latencies. */
const A_ROUND = 300;
/** Nodes behind the proxy that the flood asks for, again and again. */
const NODES = 1000;
/** In the table of the proxy whose memory is looked at: its asker is one of them. */
const NEIGHBORS = 4096;
const FLOOD = 40_000;
const STEADY = 10_000;

/** A host that solicits through a proxy, and the number of the next target that it has not asked for. */
interface Asking {
  readonly asker: Host;
  next: number;
}

/** One proxy between its own asker and its own answerer. */
interface Way extends Asking {
  readonly host: Host;
  readonly proxy: Child;
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const missing = await ndppdMissing(bed);
  if (missing !== null) return [unmeasured('ndproxy: beside ndppd', missing)];
  const ours = await way(bed, 'ours', (host) => startOurs(host));
  const theirs = await way(bed, 'ndppd', startNdppd);
  for (const each of [ours, theirs]) await askMillis(each, WARM_UP);
  const rounds = settings.quick ? 3 : 9;
  const kernel = await kernelWay(bed, Math.max(NODES, rounds * A_ROUND));
  const latency = await interleave(rounds, {
    ours: () => askMillis(ours, A_ROUND),
    theirs: () => askMillis(theirs, A_ROUND),
    kernel: () => askMillis(kernel, A_ROUND),
  });
  const [cpu, loss] = [
    { ours: [] as number[], theirs: [] as number[] },
    { ours: [] as number[], theirs: [] as number[], kernel: [] as number[] },
  ];
  const floods = settings.quick ? 1 : 5;
  for (let round = 0; round < floods; round++) {
    for (const [name, each] of [
      ['ours', ours],
      ['theirs', theirs],
    ] as const) {
      cpu[name].push(await cpuSeconds(each));
      loss[name].push((await flood(each, FLOOD, 5000)).lossPercent);
      settings.say(`ndproxy: flood ${round + 1} of ${floods}, ${name}`);
    }
    loss.kernel.push((await flood(kernel, FLOOD, 5000)).lossPercent);
  }
  const memory = await memoryRow(
    'after all of this',
    ours.proxy.pid,
    'with what the floods left in the heap',
  );
  await Promise.all([ours.proxy.stop(), theirs.proxy.stop()]);
  return [
    latencyRow(latency),
    cpuRow(cpu),
    lossRow(loss),
    await fullTableRow(bed),
    memory,
    await slopeRow(bed, settings),
  ];
}

async function ndppdMissing(bed: Bed): Promise<string | null> {
  const { code } = await bed.sink.run('sh', ['-c', 'command -v ndppd']);
  return code === 0 ? null : 'ndppd is not installed: apt-get install ndppd';
}

/** An asker, a host that forwards and a segment behind it, where nobody is yet. */
async function hostsOf(bed: Bed, name: string): Promise<Readonly<Record<'asker' | 'host' | 'target', Host>>> {
  const [asker, host, target] = [
    await bed.lab.host(`${name}-asker`),
    await bed.lab.host(`${name}-proxy`),
    await bed.lab.host(`${name}-target`),
  ];
  await host.shell(`
    ip link add lan0 type veth peer name eth0 netns ${asker.pid}
    ip link add guest0 type veth peer name eth0 netns ${target.pid}
    ip link set lan0 up; ip link set guest0 up
    ip addr add 2001:db8:1::ffff:1/64 dev lan0 nodad
    echo 2 > /proc/sys/net/ipv6/conf/lan0/accept_ra
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding`);
  // Without a link-local address the asker is one neighbour, not two.
  await asker.shell('ip link set eth0 addrgenmode none up; ip addr add 2001:db8:1::a:0:0/64 dev eth0 nodad');
  await target.shell('echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip link set eth0 up');
  return { asker, host, target };
}

/** The kernel answers for addresses that it was given one by one, and does not ask behind itself whether anybody has them. */
async function kernelWay(bed: Bed, targets: number): Promise<Asking> {
  const { asker, host } = await hostsOf(bed, 'kernel');
  await host.shell(`
    echo 1 > /proc/sys/net/ipv6/conf/lan0/proxy_ndp
    echo 0 > /proc/sys/net/ipv6/neigh/lan0/proxy_delay`);
  const lines = Array.from(
    { length: targets },
    (_, i) => `neigh add proxy 2001:db8:1::${hexWords(i + 1)} dev lan0\n`,
  );
  writeFileSync(join(host.shared, 'proxies'), lines.join(''));
  await host.ok('ip', ['-6', '-batch', '/run/lab/proxies']);
  const made: Asking = { asker, next: 1 };
  await until('the kernel answers', async () => (await askMillis({ asker, next: 1 }, 1)) > 0);
  return made;
}

/** A number as the last 32 bits of an address. */
const hexWords = (n: number): string => `${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`;

async function way(bed: Bed, name: string, start: (host: Host) => Promise<Child>): Promise<Way> {
  const { asker, host, target } = await hostsOf(bed, name);
  await new LineProgram(target, programPath('nd-traffic'), ['answer', 'eth0']).next();
  const proxy = await start(host);
  const made: Way = { asker, host, proxy, next: 1 };
  await until(`${name} answers`, async () => (await askMillis(made, 1)) > 0, {
    deadline: seconds(30), // a downstream opens after 12 s without a router
  });
  return made;
}

async function startOurs(host: Host, env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const args = ['--state-dir', '/run/lab/ndproxy', '--log-level', 'error', 'lan0', 'guest0'];
  const child = host.spawn(program('ndproxy'), args, { env });
  await until('ndproxy answers for itself', () =>
    host.ok(program('ndproxy'), ['status', '--json', '--state-dir', '/run/lab/ndproxy']),
  );
  return child;
}

async function startNdppd(host: Host): Promise<Child> {
  const config =
    'proxy lan0 { router yes\n timeout 500\n ttl 30000\n rule 2001:db8:1::/64 { iface guest0 } }\n';
  writeFileSync(join(host.shared, 'ndppd.conf'), config);
  return Promise.resolve(host.spawn('ndppd', ['-c', '/run/lab/ndppd.conf']));
}

/** Milliseconds, the median over `count` targets that nobody has asked for before; NaN if most were not answered. */
async function askMillis(way: Asking, count: number): Promise<number> {
  const args = ['ask', 'eth0', String(way.next), String(count)];
  way.next += count;
  const line = await way.asker.ok(programPath('nd-traffic'), args, { timeout: TIMEOUT });
  const answered = line
    .trim()
    .split(' ')
    .map(Number)
    .filter((nanoseconds) => nanoseconds > 0);
  return answered.length * 2 > count ? spreadOf(answered).median / 1e6 : NaN;
}

const TIMEOUT = seconds(60);

async function flood(
  way: Asking,
  rate: number,
  spanMs: number,
): Promise<{ readonly sent: number; readonly lossPercent: number }> {
  const args = ['flood', 'eth0', String(rate), String(spanMs), String(NODES)];
  const line = await way.asker.ok(programPath('nd-traffic'), args, { timeout: TIMEOUT });
  const [sent = NaN, answered = NaN] = line.trim().split(' ').map(Number);
  return { sent, lossPercent: Math.max(0, (100 * (sent - answered)) / sent) };
}

/** CPU seconds of the proxy for 100,000 solicitations at a steady rate. */
async function cpuSeconds(way: Way): Promise<number> {
  const before = cpuSecondsOf(way.proxy.pid);
  const { sent } = await flood(way, STEADY, 10_000);
  return (cpuSecondsOf(way.proxy.pid) - before) * (100_000 / sent);
}

/** A proxy that has just started, when its table has so many neighbours. Asked what it knows only afterwards: telling it takes memory, too. */
async function fullTableRow(bed: Bed): Promise<Row> {
  const full = await way(bed, 'full', (host) => startOurs(host));
  await askMillis(full, NEIGHBORS - 2); // one has answered before
  const row = await memoryRow(
    `with ${NEIGHBORS} neighbours`,
    full.proxy.pid,
    'each with its route and its group',
  );
  const known = await neighborsOf(full.host);
  await full.proxy.stop();
  if (known === NEIGHBORS) return row;
  throw new Error(`the table has ${known} neighbours, not ${NEIGHBORS}`);
}

async function neighborsOf(host: Host): Promise<number> {
  const told = await host.ok(program('ndproxy'), ['status', '--json', '--state-dir', '/run/lab/ndproxy']);
  return (JSON.parse(told) as { readonly neighbors: readonly object[] }).neighbors.length;
}

/** A proxy that collects its garbage when asked, and what it holds as messages go through it. */
async function slopeRow(bed: Bed, settings: Settings): Promise<Row> {
  let collector: Collector | undefined;
  const kept = await way(bed, 'kept', (host) => {
    collector = new Collector(host);
    return startOurs(host, collector.env);
  });
  await askMillis(kept, WARM_UP);
  const points: Point[] = [];
  let messages = 0;
  for (let round = 0; round < (settings.quick ? 3 : 8); round++) {
    messages += 2 * (await flood(kept, STEADY, 5000)).sent; // and the answers
    const held = await collector?.collect(kept.proxy.pid);
    points.push({ x: messages / 100_000, y: held?.alive ?? NaN });
    settings.say(`ndproxy: ${messages} messages, ${(held?.alive ?? NaN).toFixed(2)} MB alive`);
  }
  await kept.proxy.stop();
  return {
    name: 'ndproxy: growth of what is alive, for 100,000 messages',
    measured: slopeOf(points),
    unit: 'MB',
    goal: hoped(1),
    spread: null,
    details: [`after garbage collection, ${points.length} times; slope by Theil and Sen`],
  };
}

interface Samples {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** proxy_ndp has no process whose CPU or memory could be told. */
interface WithKernel extends Samples {
  readonly kernel: readonly number[];
}

function ratioRow(name: string, { ours, theirs }: Samples, unit: string, goal: number, more: string): Row {
  const spread = spreadOf(pairRatios(ours, theirs));
  const both = `ndproxy: ${spreadText(spreadOf(ours), unit)}; ndppd: ${spreadText(spreadOf(theirs), unit)}`;
  return { name, measured: spread.median, unit: 'x', goal: hoped(goal), spread, details: [both, more] };
}

const latencyRow = (samples: WithKernel): Row =>
  ratioRow(
    'ndproxy: solicitation to answer, new target, of ndppd’s',
    samples,
    'ms',
    1.5,
    `median of ${A_ROUND} targets a round, 2 ms apart; ndproxy also sets a route for each; the kernel’s proxy_ndp, which asks nobody whether they are there: ${spreadText(spreadOf(samples.kernel), 'ms')}`,
  );

const cpuRow = (samples: Samples): Row =>
  ratioRow(
    'ndproxy: CPU for 100,000 solicitations, of ndppd’s',
    samples,
    's',
    1,
    `${STEADY} a second for ${NODES} targets; ndppd answers from its cache, ndproxy passes every one on and its answer back`,
  );

function lossRow({ ours, theirs, kernel }: WithKernel): Row {
  const spread = spreadOf(ours);
  const limit = Number(spreadOf(theirs).median.toFixed(3));
  return {
    name: 'ndproxy: loss at 40,000 solicitations a second',
    measured: spread.median,
    unit: '%',
    goal: hoped(limit),
    spread,
    details: [
      `ndppd: ${spreadText(spreadOf(theirs), '%')}; the kernel’s proxy_ndp: ${spreadText(spreadOf(kernel), '%')}; asker, proxy and answerer share this machine’s cores`,
    ],
  };
}

async function memoryRow(when: string, pid: number, more: string): Promise<Row> {
  const { atOnce, atRest } = await restingMb(pid);
  const own = anonymousMb(pid).toFixed(1);
  return {
    name: `ndproxy: resident memory ${when}, at rest`,
    measured: atRest,
    unit: 'MB',
    goal: hoped(55),
    spread: null,
    details: [
      `${more}; at the end of the load: ${atOnce.toFixed(1)} MB`,
      `${own} MB of it its own, the rest pages of node’s files, shared by all that run node`,
    ],
  };
}
