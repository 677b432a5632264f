import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, until } from '@pp/lab';
import { linksOf, settled, type Bed } from '../bed/bed';
import { elementsOf } from '../bed/elements';
import { Manager } from '../manager/manager';
import { descriptorsOf, residentMb } from '../manager/process';
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
const SAMPLES = 40;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const total = settings.quick ? 960 : 10_000;
  const pids = await bed.namespaces(AT_ONCE);
  const machine = await bed.machine('manager');
  const collector = new Collector(machine.host.shared);
  const manager = await Manager.start(bed, machine, { env: collector.env });
  await manager.release(...(await manager.connectAll(pids)));
  await settled(machine);
  const before = await inventory(manager);
  const points: Point[] = [];
  const batches = Math.ceil(total / AT_ONCE);
  const every = Math.ceil(batches / SAMPLES);
  const told = progress(settings, 'endurance', batches);
  for (let batch = 0; batch < batches; batch++) {
    await manager.release(...(await manager.connectAll(pids)));
    if ((batch + 1) % every === 0) {
      await collector.collect(manager.pid);
      points.push({ x: (batch + 1) * AT_ONCE, y: residentMb(manager.pid) });
    }
    told(batch);
  }
  const after = await inventory(manager);
  const warnings = manager.log;
  await manager.stop();
  return [memoryRow(points, total, settings), leftRow(before, after, warnings)];
}

/** Makes the manager collect its garbage when asked, by a file that node loads before it; the manager itself is what is shipped. */
class Collector {
  readonly #told: string;

  constructor(shared: string) {
    this.#told = join(shared, 'collected');
  }

  /** Node reads NODE_OPTIONS; the path is the one that the host sees as well. */
  get env(): Readonly<Record<string, string>> {
    const preload = repository('test', 'bench', 'src', 'manager', 'collect-on-signal.cjs');
    return { NODE_OPTIONS: `--require ${preload}`, BENCH_COLLECTED: '/run/lab/collected' };
  }

  async collect(pid: number): Promise<void> {
    writeFileSync(this.#told, '');
    process.kill(pid, 'SIGUSR2');
    await until(
      'the manager has collected its garbage',
      () => readFileSync(this.#told, 'utf8') === 'collected',
    );
  }
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

function memoryRow(points: readonly Point[], total: number, { quick }: Settings): Row {
  const half = points.filter(({ x }) => x > total / 2);
  const [first, middle, last] = [points[0], half[0], points.at(-1)].map((point) => short(point?.y ?? NaN));
  return {
    name: `endurance: growth in the last half of ${total} connects`,
    measured: growthOver(half),
    unit: 'MB',
    goal: quick ? hoped(1) : atMost(1), // node's heap takes some thousand connects to find its size
    spread: null,
    details: [
      `resident after a full collection: ${first} MB at the first sample, ${middle} at half, ${last} at the end (${points.length} samples)`,
      `${short((1000 * growthOver(half)) / (total / 2))} kB a connect in the last half, ${short((1000 * growthOver(points)) / total)} over all (median of slopes)`,
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
