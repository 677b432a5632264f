import { linksOf, settled, type Bed } from '../bed/bed';
import { elementsOf } from '../bed/elements';
import { Collector } from '../manager/collector';
import { Manager } from '../manager/manager';
import { descriptorsOf } from '../manager/process';
import { atMost, hoped, type Row } from '../report/row';
import { short } from '../report/table';
import { growthOver, type Point } from '../stats/trend';
import { progress, type Figure, type Settings } from './figure';

/** A service that runs for months: nothing may be left of a namespace that came and went. */
export const enduranceFigure: Figure = {
  name: 'endurance',
  about: '10,000 connect and disconnect: memory after garbage collection, and what is left behind',
  measure,
};

/** All of the reference's pool at once. */
const AT_ONCE = 16;
const SAMPLES = 125;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const total = settings.quick ? 960 : 10_000;
  const pids = await bed.namespaces(AT_ONCE);
  const machine = await bed.machine('manager');
  const collector = new Collector(machine.host);
  const manager = await Manager.start(bed, machine, { env: collector.env });
  await manager.release(...(await manager.connectAll(pids)));
  await settled(machine);
  const before = await inventory(manager);
  const [resident, alive]: [Point[], Point[]] = [[], []];
  const batches = Math.ceil(total / AT_ONCE);
  const every = Math.ceil(batches / SAMPLES);
  const told = progress(settings, 'endurance', batches);
  for (let batch = 0; batch < batches; batch++) {
    await manager.release(...(await manager.connectAll(pids)));
    if ((batch + 1) % every === 0) {
      const now = await collector.collect(manager.pid);
      resident.push({ x: (batch + 1) * AT_ONCE, y: now.resident });
      alive.push({ x: (batch + 1) * AT_ONCE, y: now.alive });
    }
    told(batch);
  }
  const after = await inventory(manager);
  const warnings = manager.log;
  await manager.stop();
  return [memoryRow({ resident, alive }, total, settings), leftRow(before, after, warnings)];
}

type Inventory = Readonly<Record<string, number>>;

/** Counts of all that a namespace could leave behind. */
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
    'nft elements': elementsOf(table).length,
    namespaces: await count('netns', 'list'),
    mounts: (await host.ok('cat', ['/proc/self/mounts'])).split('\n').length,
    descriptors: descriptorsOf(pid),
  };
}

interface Memory {
  readonly resident: readonly Point[];
  readonly alive: readonly Point[];
}

function memoryRow({ resident, alive }: Memory, total: number, { quick }: Settings): Row {
  const lastHalf = (points: readonly Point[]): readonly Point[] => points.filter(({ x }) => x > total / 2);
  const story = (points: readonly Point[]): string => {
    const [first, half, last] = [points[0], lastHalf(points)[0], points.at(-1)].map((point) =>
      short(point?.y ?? NaN),
    );
    const bytes = (1e6 * growthOver(lastHalf(points))) / (total / 2);
    return `${first ?? ''} MB at first, ${half ?? ''} at half, ${last ?? ''} at the end; ${bytes.toFixed(0)} bytes a connect in the last half`;
  };
  return {
    name: `endurance: growth in the last half of ${total} connects`,
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

function leftRow(before: Inventory, after: Inventory, warnings: string): Row {
  const changed = Object.keys(before).filter((what) => before[what] !== after[what]);
  const told = Object.entries(before).map(([what, count]) => `${count} ${what}`);
  return {
    name: 'endurance: kinds of things left behind',
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
