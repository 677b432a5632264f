import { linksOf } from '../bed/bed';
import type { Collector } from '../manager/collector';
import type { Manager } from '../manager/manager';
import { descriptorsOf } from '../manager/process';
import { atMost, hoped, type Row } from '../report/row';
import { short } from '../report/table';
import { growthOver, type Point } from '../stats/trend';
import { progress, type Settings } from './figure';

/** What comes and goes, many times over. */
export interface Churn {
  /** Name of the figure, first in its rows. */
  readonly figure: string;
  /** What one of them is called: "connect". */
  readonly unit: string;
  /** How often in all. */
  readonly total: number;
  /** So many of them come and go by one call of `batch`. */
  readonly perBatch: number;
  readonly batch: () => Promise<void>;
}

/** Memory is looked at so often. */
const SAMPLES = 125;

/** Memory after garbage collection over the second half of all, and what is left behind. `settled`: when nothing is on its way any more. */
export async function endure(
  churn: Churn,
  manager: Manager,
  collector: Collector,
  settled: () => Promise<void>,
  settings: Settings,
): Promise<readonly Row[]> {
  await churn.batch(); // what is opened once is open from here on
  await settled();
  const before = await inventory(manager);
  const memory = await memoryOver(churn, manager, collector, settings);
  await settled();
  const after = await inventory(manager);
  return [memoryRow(churn, memory, settings), leftRow(churn, before, after, manager.log)];
}

interface Memory {
  readonly resident: readonly Point[];
  readonly alive: readonly Point[];
}

async function memoryOver(
  { figure, total, perBatch, batch }: Churn,
  manager: Manager,
  collector: Collector,
  settings: Settings,
): Promise<Memory> {
  const [resident, alive]: [Point[], Point[]] = [[], []];
  const batches = Math.ceil(total / perBatch);
  const every = Math.ceil(batches / SAMPLES);
  const told = progress(settings, figure, batches);
  for (let n = 1; n <= batches; n++) {
    await batch();
    if (n % every === 0) {
      const now = await collector.collect(manager.pid);
      resident.push({ x: n * perBatch, y: now.resident });
      alive.push({ x: n * perBatch, y: now.alive });
    }
    told(n - 1);
  }
  return { resident, alive };
}

type Inventory = Readonly<Record<string, number>>;

/** Counts of all that a guest could leave behind. */
async function inventory({ machine, pid }: Manager): Promise<Inventory> {
  const { host } = machine;
  const count = async (...args: readonly string[]): Promise<number> =>
    ((await host.json('ip', '-j', ...args)) as readonly unknown[]).length;
  const table = (await host.json('nft', '-j', 'list', 'table', 'inet', 'patchpanel')) as {
    readonly nftables: readonly Readonly<Record<string, unknown>>[];
  };
  return {
    links: linksOf(machine).length,
    addresses: await count('addr'),
    routes: await count('route', 'show', 'table', 'all'),
    'ip rules': await count('rule'),
    'nft rules': table.nftables.filter((object) => 'rule' in object).length,
    'nft elements': table.nftables.flatMap(({ set, map }) => elementsOf(set ?? map)).length,
    namespaces: await count('netns', 'list'),
    mounts: (await host.ok('cat', ['/proc/self/mounts'])).split('\n').length,
    descriptors: descriptorsOf(pid),
  };
}

const elementsOf = (set: unknown): readonly unknown[] =>
  (set as { readonly elem?: readonly unknown[] } | undefined)?.elem ?? [];

function memoryRow({ figure, unit, total }: Churn, { resident, alive }: Memory, { quick }: Settings): Row {
  const lastHalf = (points: readonly Point[]): readonly Point[] => points.filter(({ x }) => x > total / 2);
  const story = (points: readonly Point[]): string => {
    const [first, half, last] = [points[0], lastHalf(points)[0], points.at(-1)].map((point) =>
      short(point?.y ?? NaN),
    );
    const bytes = (1e6 * growthOver(lastHalf(points))) / (total / 2);
    return `${first ?? ''} MB at first, ${half ?? ''} at half, ${last ?? ''} at the end; ${bytes.toFixed(0)} bytes a ${unit} in the last half`;
  };
  return {
    name: `${figure}: growth in the last half of ${total} ${unit}s`,
    measured: growthOver(lastHalf(resident)),
    unit: 'MB',
    goal: quick ? hoped(1) : atMost(1), // node's heap takes some thousand connects to find its size
    spread: null,
    details: [
      `resident after a full collection: ${story(resident)}`,
      `alive in node's heap after a full collection: ${story(alive)}`,
      `median of the slopes between ${resident.length} samples`,
    ],
  };
}

function leftRow({ figure }: Churn, before: Inventory, after: Inventory, warnings: string): Row {
  const changed = Object.keys(before).filter((what) => before[what] !== after[what]);
  const told = Object.entries(before).map(([what, count]) => `${count} ${what}`);
  return {
    name: `${figure}: kinds of things left behind`,
    measured: changed.length,
    unit: '',
    goal: atMost(0),
    spread: null,
    details: [
      `before and after: ${told.join(', ')}`,
      ...changed.map((what) => `${what}: ${before[what] ?? NaN} before, ${after[what] ?? NaN} after`),
      ...(warnings === '' ? [] : [`the manager warned: ${warnings.split('\n')[0] ?? ''}`]),
    ],
  };
}
