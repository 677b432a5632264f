import { setTimeout as delay } from 'node:timers/promises';
import { eventOf, program, type Child } from '@pp/lab';
import { decodeStrict, encode } from '@pp/proto';
import type { Bed, Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { Manager } from '../manager/manager';
import { residentMb } from '../manager/process';
import { step, stepLine } from '../peers/job';
import { atLeast, atMost, hoped, type Row } from '../report/row';
import { short, spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';
import { countDatagrams, kpps, type Sender } from './traffic';

/** What it costs to ask for the counters, and what they cost a packet. */
export const countersFigure: Figure = {
  name: 'counters',
  about: 'GetTrafficCounters against iptables -L, and packets with 1,000 devices against 1',
  measure,
};

const DEVICES = Array.from({ length: 40 }, (_, n) => `dev${n}`);
const MANY_DEVICES = Array.from({ length: 1000 }, (_, n) => `dev${n}`);
/** Marks of the nine sources that the API tells apart, and both families. */
const MARKS = [0x0000, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x2000, 0x2100, 0x2200];
const FAMILIES = ['ipv4', 'ipv6'];
const COUNTERS = DEVICES.length * MARKS.length * FAMILIES.length;
const STATE = '/run/patchpanel';
const IDLE_MS = 500;
const WARM_UP = 50;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  return [...(await asking(bed, settings)), await packets(bed, settings)];
}

async function asking(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 10 : 100;
  const machine = await bed.machine('asked');
  const manager = await Manager.start(bed, machine);
  const counters = await startCounters(machine, manager, DEVICES);
  await delay(IDLE_MS);
  const idle = residentMb(counters.pid);
  await fill(machine, DEVICES, MARKS);
  await iptablesRules(machine);
  const runner = new LineProgram(machine.host, programPath('run-steps'), []);
  for (let n = 0; n < WARM_UP; n++) await timedAsk(manager); // it is asked every few seconds for as long as the host runs
  const samples = await interleave(
    rounds,
    {
      ours: () => timedAsk(manager),
      iptables: async () => millisOf(await runner.ask(...LISTINGS, 'go')),
    },
    progress(settings, 'asking', rounds),
  );
  const busy = residentMb(counters.pid);
  await runner.close();
  await counters.stop();
  await manager.stop();
  const spread = spreadOf(pairRatios(samples.ours, samples.iptables));
  return [
    {
      name: 'counters: GetTrafficCounters, share of iptables -L -x -v -n',
      measured: spread.median,
      unit: 'x',
      goal: atMost(0.5),
      spread,
      details: [
        `${COUNTERS} counters: ${spreadText(spreadOf(samples.ours), 'ms')}; as many rules, iptables and ip6tables: ${spreadText(spreadOf(samples.iptables), 'ms')}`,
        'two D-Bus calls (client, manager, counters) and two netlink dumps; each counter has both directions, each rule one',
      ],
    },
    {
      name: 'counters: resident memory',
      measured: idle,
      unit: 'MB',
      goal: hoped(60),
      spread: null,
      details: [
        `idle for ${IDLE_MS} ms; ${short(busy)} MB after ${rounds} answers of ${COUNTERS} counters; limit: node itself, about 41 MB, most of it shared`,
      ],
    },
  ];
}

/** Without the manager's word: the names need not exist. */
async function startCounters(machine: Machine, { bus }: Manager, names: readonly string[]): Promise<Child> {
  const args = ['--state-dir', STATE, '--history-dir', STATE, '--log-format', 'json', ...names];
  const child = machine.host.spawn(program('counters'), args, {
    env: { DBUS_SYSTEM_BUS_ADDRESS: bus.inside },
  });
  await child.line('log line "ready"', (line) => (eventOf(line) === 'ready' ? true : undefined));
  return child;
}

/** As if each device had had packets of these sources in both families, both ways. */
async function fill({ host }: Machine, names: readonly string[], marks: readonly number[]): Promise<void> {
  const table = 'inet patchpanel_counters';
  const listing = await host.ok('nft', ['-t', 'list', 'table', ...table.split(' ')]);
  const sets = [...listing.matchAll(/set (uplink_\S+) /g)].map(([, name = '']) => name);
  const keys = names.flatMap((name) =>
    marks.flatMap((mark) => FAMILIES.map((family) => `"${name}" . ${mark} . ${family}`)),
  );
  const elements = keys.map((key) => `${key} counter packets 3 bytes 4242`).join(', ');
  await host.ok('nft', ['-f', '-'], {
    input: sets.map((set) => `add element ${table} ${set} { ${elements} }`).join('\n'),
  });
}

/** A chain for each device, a rule for each source: one rule for each of our counters. */
async function iptablesRules({ host }: Machine): Promise<void> {
  const rules = DEVICES.flatMap((name) => [
    `:rx_${name} - [0:0]`,
    ...MARKS.map((mark) => `-A rx_${name} -m mark --mark ${mark}/0x3f00 -j RETURN`),
  ]);
  const jumps = DEVICES.map((name) => `-A FORWARD -i ${name} -j rx_${name}`);
  const input = `${['*mangle', ...rules.filter(isChain), ...rules.filter((rule) => !isChain(rule)), ...jumps, 'COMMIT'].join('\n')}\n`;
  for (const restore of ['iptables-restore', 'ip6tables-restore']) await host.ok(restore, ['-n'], { input });
}

const isChain = (line: string): boolean => line.startsWith(':');

const LISTINGS = ['iptables', 'ip6tables'].map((name) => stepLine(step(`${name} -t mangle -L -x -v -n`)));

/** By the published API; refuses to time an answer that is not whole. */
async function timedAsk({ client }: Manager): Promise<number> {
  const start = performance.now();
  const { body } = await client.bus.call({
    destination: 'org.chromium.PatchPanel',
    path: '/org/chromium/PatchPanel',
    interface: 'org.chromium.PatchPanel',
    member: 'GetTrafficCounters',
    signature: 'ay',
    body: [encode('TrafficCountersRequest', {})],
  });
  const took = performance.now() - start;
  const reply = decodeStrict('TrafficCountersResponse', body[0] as Uint8Array);
  if (!reply.ok || reply.value.counters.length < COUNTERS)
    throw new Error(`the answer has ${reply.ok ? reply.value.counters.length : reply.sentence}`);
  return took;
}

async function packets(bed: Bed, settings: Settings): Promise<Row> {
  const [rounds, spanMs] = settings.quick ? [3, 300] : [15, 1000];
  const one = await way(bed, 'onedev', []);
  const many = await way(bed, 'manydev', MANY_DEVICES);
  await countDatagrams(bed, [one, many]);
  const samples = await interleave(
    rounds,
    { many: () => kpps(bed, many, spanMs), one: () => kpps(bed, one, spanMs) },
    progress(settings, 'packets', rounds),
  );
  for (const { counters, manager } of [one, many]) {
    await counters.stop();
    await manager.stop();
  }
  const spread = spreadOf(pairRatios(samples.many, samples.one));
  return {
    name: 'counters: 64-byte UDP with 1,000 devices, share of with 1',
    measured: spread.median,
    unit: 'x',
    goal: atLeast(0.95),
    spread,
    details: [
      `with 1,000: ${spreadText(spreadOf(samples.many), 'kpps')}; with 1: ${spreadText(spreadOf(samples.one), 'kpps')}`,
      'guest, two veths, NAT, counted twice on the way out, one cable, sink; limit: the kernel on one core',
    ],
  };
}

interface Way extends Sender {
  readonly manager: Manager;
  readonly counters: Child;
}

async function way(bed: Bed, name: string, more: readonly string[]): Promise<Way> {
  const machine = await bed.machine(name);
  const manager = await Manager.start(bed, machine);
  const counters = await startCounters(machine, manager, ['eth0', ...more]);
  if (more.length > 0) await fill(machine, more, [0]);
  const [guest = 0] = await bed.namespaces(1);
  await manager.connect(guest);
  return { machine, manager, guest, counters };
}
