import { seconds } from '@pp/base';
import { Avahi, program, until, type Child, type Host } from '@pp/lab';
import { readdirSync, readFileSync } from 'node:fs';
import type { Bed } from '../bed/bed';
import { programPath } from '../bed/programs';
import { residentMb, restingMb } from '../manager/process';
import { hoped, unmeasured, type Goal, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import type { Figure, Settings } from './figure';

/** mDNS packets through a relay: sender -- relay -- listeners, beside avahi-daemon's reflector without its rate limit. */
export const mcastfwdFigure: Figure = {
  name: 'mcastfwd',
  about: 'mDNS relayed by mcastfwd, beside avahi-daemon’s reflector',
  measure,
};

const KINDS = ['query', 'response'] as const;
type Kind = (typeof KINDS)[number];

/** Rates a second that are tried, up to the first that is not carried whole. */
const LADDER = [
  25, 50, 100, 250, 500, 1000, 1500, 2000, 3000, 4000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 40_000,
  50_000, 60_000, 80_000,
];
/** Where each begins to climb: what it is known to carry. */
const FIRST_STEP = { ours: 2000, theirs: 25 } as const;
/** What avahi carries, about. */
const STEADY = { query: { two: 3000, ten: 500 }, response: { two: 1000, ten: 200 } } as const;
const SPAN_MS = 1000;
/** avahi holds responses back for up to half a second. */
const TAIL_MS = 900;

/** A relay between a sender and some listeners, of which the last one counts; when it comes to how soon, the first one too. */
interface Way {
  readonly sender: Host;
  readonly listener: Host;
  readonly firstListener: Host;
  readonly relay: Child;
}

interface Pair {
  readonly ours: Way;
  readonly theirs: Way;
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const { code } = await bed.sink.run('sh', ['-c', 'command -v avahi-daemon']);
  if (code !== 0)
    return [
      unmeasured('mcastfwd: beside avahi', 'avahi-daemon is not installed: apt-get install avahi-daemon'),
    ];
  const rows: Row[] = [];
  for (const interfaces of [2, 10]) {
    const pair = { ours: await way(bed, 'ours', interfaces), theirs: await way(bed, 'avahi', interfaces) };
    for (const kind of KINDS) rows.push(...(await measurePair(pair, kind, interfaces, settings)));
    rows.push(await memoryRow(pair, interfaces));
    await Promise.all([pair.ours.relay.stop(), pair.theirs.relay.stop()]);
  }
  return rows;
}

async function measurePair(
  pair: Pair,
  kind: Kind,
  interfaces: number,
  settings: Settings,
): Promise<readonly Row[]> {
  const what = `mcastfwd: ${kind === 'query' ? 'queries' : 'responses'}, ${interfaces} interfaces`;
  const rounds = settings.quick ? 1 : 3;
  const latencyRounds = settings.quick ? 1 : 9; // the least steady of all
  const steady = STEADY[kind][interfaces === 2 ? 'two' : 'ten'];
  // A relay runs for weeks: what it does when it has just begun does not count. No faster than a busy machine carries among ten
  // interfaces: what waited in its socket would count as latency.
  await run(pair.ours, kind, 2000, 5000);
  await run(pair.theirs, kind, steady, 2000);
  const both = (measured: (way: Way, name: keyof Pair) => Promise<number>) => ({
    ours: () => measured(pair.ours, 'ours'),
    theirs: () => measured(pair.theirs, 'theirs'),
  });
  const say = (part: string): void => {
    settings.say(`${what}: ${part}`);
  };
  const latency = await interleave(
    latencyRounds,
    both((way) => latencyMs(way, kind)),
  );
  say('latency');
  const outcomes: Record<keyof Pair, Outcome[]> = { ours: [], theirs: [] };
  const cpu = await interleave(
    rounds,
    both((way, name) => cpuSeconds(way, kind, steady, outcomes[name])),
  );
  say('CPU');
  const capacity = await interleave(
    rounds,
    both((way, name) => capacityOf(way, kind, FIRST_STEP[name])),
  );
  say('capacity');
  return [
    ratioRow(
      `${what} a second without loss, of avahi’s`,
      capacity,
      '/s',
      atLeastHoped(10),
      `steps of ${LADDER.at(0) ?? 0} to ${LADDER.at(-1) ?? 0} a second, ${SPAN_MS} ms each`,
    ),
    ratioRow(
      `${what}: CPU for 100,000, of avahi’s`,
      cpu,
      's',
      hoped(0.25),
      `at ${steady} a second; every copy to every interface is in it; then ${outcomeText(outcomes.ours)}, of avahi ${outcomeText(outcomes.theirs)}`,
    ),
    ratioRow(
      `${what}: added latency, p50, of avahi’s`,
      latency,
      'ms',
      hoped(1),
      interfaces === 2
        ? 'at 200 a second'
        : 'at 200 a second, at the first and the last interface in turn (mcastfwd serves the first one first, avahi the last)',
    ),
  ];
}

const atLeastHoped = (value: number): Goal => ({ kind: 'at least', value, enforced: false });

async function way(bed: Bed, name: 'ours' | 'avahi', interfaces: number): Promise<Way> {
  const relay = await bed.lab.host(`${name}-relay${interfaces}`);
  const ends: Host[] = [];
  for (let number = 0; number < interfaces; number++) {
    const end = await bed.lab.host(`${name}${interfaces}-end${number}`);
    await relay.shell(`
      ip link add if${number} type veth peer name eth0 netns ${end.pid}
      ip addr add 198.18.${number}.1/24 dev if${number}
      ip link set if${number} up`);
    await end.shell(`ip addr add 198.18.${number}.7/24 dev eth0; ip link set eth0 up`);
    ends.push(end);
  }
  const [sender, firstListener, listener] = [ends[0], ends[1], ends.at(-1)];
  if (sender === undefined || firstListener === undefined || listener === undefined)
    throw new Error('no ends');
  const made = {
    sender,
    listener,
    firstListener,
    relay: await (name === 'ours' ? startOurs(relay) : startAvahi(relay, interfaces)),
  };
  await until(`${name} relays`, async () => (await run(made, 'query', 200, 200)).heard > 0, {
    deadline: seconds(30),
  });
  return made;
}

async function startOurs(host: Host): Promise<Child> {
  const args = ['--state-dir', '/run/lab/mcastfwd', '--log-level', 'error', 'if0', 'if*'];
  const child = host.spawn(program('mcastfwd'), args);
  await until('mcastfwd answers for itself', () =>
    host.ok(program('mcastfwd'), ['status', '--json', '--state-dir', '/run/lab/mcastfwd']),
  );
  return child;
}

/** Host names of the two fans differ: they never meet, but the logs are read by people. */
const startAvahi = async (host: Host, interfaces: number): Promise<Child> =>
  (await Avahi.start(host, { hostName: `reflector${interfaces}`, reflector: true })).daemon;

interface Outcome {
  readonly sent: number;
  readonly heard: number;
  readonly p50Ms: number;
}

/** Sends at a rate for a while, and hears what comes through. */
async function run({ sender, listener }: Way, kind: Kind, rate: number, spanMs: number): Promise<Outcome> {
  const hear = listener.spawn(programPath('mcast-traffic'), ['hear', 'eth0', String(spanMs + TAIL_MS)]);
  await hear.line('sign of listening', (line) => (line === 'ready' ? true : undefined));
  const sent = await sender.ok(programPath('mcast-traffic'), [
    'send',
    'eth0',
    kind,
    String(rate),
    String(spanMs),
  ]);
  const { stdout } = await hear.exited;
  const [heard = NaN, p50 = NaN] = (stdout.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { sent: Number(sent), heard, p50Ms: p50 / 1e6 };
}

/** The highest rate that came through whole; two tries for each, since the machine has other work. */
async function capacityOf(way: Way, kind: Kind, from: number): Promise<number> {
  let best = NaN;
  for (const rate of LADDER.filter((each) => each >= from)) {
    const carried = (await carries(way, kind, rate)) || (await carries(way, kind, rate));
    if (!carried) break;
    best = rate;
  }
  return best;
}

async function carries(way: Way, kind: Kind, rate: number): Promise<boolean> {
  const { sent, heard } = await run(way, kind, rate, SPAN_MS);
  return heard >= sent && sent > rate * 0.9; // the sender itself must have come up to it
}

/** For 100,000 that were sent, lost ones too; `outcomes` gets what became of them. */
async function cpuSeconds(way: Way, kind: Kind, rate: number, outcomes: Outcome[]): Promise<number> {
  const before = cpuNs(way.relay.pid);
  const outcome = await run(way, kind, rate, 3000);
  outcomes.push(outcome);
  return ((cpuNs(way.relay.pid) - before) / 1e9) * (100_000 / outcome.sent);
}

function outcomeText(outcomes: readonly Outcome[]): string {
  const [sent, heard] = [outcomes.map((each) => each.sent), outcomes.map((each) => each.heard)].map(
    (counts) => counts.reduce((sum, each) => sum + each, 0),
  );
  const share = ((heard ?? NaN) / (sent ?? NaN)) * 100;
  return `${share.toFixed(1)} % came through, p50 ${spreadText(spreadOf(outcomes.map(({ p50Ms }) => p50Ms)), 'ms')}`;
}

/** The mean of what the two listeners see: a relay that sends to one after the other serves somebody last. */
async function latencyMs(way: Way, kind: Kind): Promise<number> {
  const ends = new Set([way.firstListener, way.listener]);
  let sum = 0;
  for (const listener of ends) sum += (await run({ ...way, listener }, kind, 200, 1500)).p50Ms;
  return sum / ends.size;
}

/** Of all its threads: proc_pid_schedstat, exact where the ticks of `stat` are tens of milliseconds. */
const cpuNs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]))
    .reduce((sum, each) => sum + each, 0);

interface Samples {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

function ratioRow(name: string, { ours, theirs }: Samples, unit: string, goal: Goal, more: string): Row {
  const spread = spreadOf(pairRatios(ours, theirs));
  const both = `mcastfwd: ${spreadText(spreadOf(ours), unit)}; avahi: ${spreadText(spreadOf(theirs), unit)}`;
  return { name, measured: spread.median, unit: 'x', goal, spread, details: [both, more] };
}

async function memoryRow({ ours, theirs }: Pair, interfaces: number): Promise<Row> {
  const { atOnce, atRest } = await restingMb(ours.relay.pid);
  return {
    name: `mcastfwd: resident memory after all of this, at rest, ${interfaces} interfaces`,
    measured: atRest,
    unit: 'MB',
    goal: hoped(55),
    spread: null,
    details: [
      `at the end of the load: ${atOnce.toFixed(1)} MB; avahi: ${residentMb(theirs.relay.pid).toFixed(1)} MB`,
    ],
  };
}
