import {
  ApiClient,
  decoded,
  eventOf,
  program,
  standardLab,
  startManager,
  STATE_INSIDE,
  until,
  type Child,
  type Host,
  type Manager,
  type StandardLab,
} from '@pp/lab';
import { seconds } from '@pp/base';
import { encode, TrafficCounterSource, type Messages } from '@pp/proto';

export type Counter = Messages['TrafficCounter'];

const monthIn = (sec: number): string => new Date(Date.now() + sec * 1000).toISOString().slice(0, 7);

export const thisMonth = (): string => monthIn(0);

/** Resolves when this month outlives a test, which takes 60 s at most: at once, but in the last minute of a month. */
export const monthLasts = (): Promise<unknown> =>
  until('the month begins', () => monthIn(0) === monthIn(61), { deadline: seconds(65) });
export const MONTH_TIMEOUT_MS = 70_000;

/** A lab whose host has a manager and, beside it, counters; each can be killed and started on its own. */
export class CountersRig {
  readonly lab: StandardLab;
  readonly client: ApiClient;
  manager: Manager;
  counters: Child | null = null;

  private constructor(lab: StandardLab, manager: Manager, client: ApiClient) {
    this.lab = lab;
    this.manager = manager;
    this.client = client;
  }

  /** `uplinks`: as the manager takes them. */
  static async open(uplinks: readonly string[] = ['eth0=ethernet']): Promise<CountersRig> {
    const lab = await standardLab({ secondUplink: uplinks.length > 1 });
    try {
      const manager = await startManager(lab.host, { args: managerArgs(uplinks) });
      return new CountersRig(lab, manager, await ApiClient.open(lab.bus.outside));
    } catch (fault) {
      await lab.close(); // else its processes would keep the test run alive
      throw fault;
    }
  }

  get host(): Host {
    return this.lab.host;
  }

  /** Up to its log line `ready`, and until it counts what the manager or the arguments say. */
  async startCounters(args: readonly string[] = []): Promise<Child> {
    const common = ['--state-dir', STATE_INSIDE, '--log-format', 'json'];
    const child = this.host.spawn(program('counters'), [...common, ...args]);
    await child.line(
      'log line "ready"',
      (line) => (eventOf(line) === 'ready' ? true : undefined),
      seconds(20),
    );
    this.counters = child;
    return child;
  }

  async killCounters(): Promise<void> {
    this.counters?.kill('SIGKILL');
    await this.counters?.exited;
  }

  async restartManager(uplinks: readonly string[] = ['eth0=ethernet']): Promise<void> {
    await this.manager.kill();
    this.manager = await startManager(this.host, { args: managerArgs(uplinks) });
  }

  /** GetTrafficCounters of the manager. */
  async read(devices: readonly string[] = []): Promise<readonly Counter[]> {
    const bytes = await this.client.raw('GetTrafficCounters', encode('TrafficCountersRequest', { devices }));
    return decoded('TrafficCountersResponse', bytes).counters;
  }

  /** `counters status --json`. */
  async status(): Promise<Readonly<Record<string, unknown>>> {
    const args = ['--state-dir', STATE_INSIDE, 'status', '--json'];
    return JSON.parse(await this.host.ok(program('counters'), args)) as Readonly<Record<string, unknown>>;
  }

  async close(): Promise<void> {
    this.client.close();
    await this.lab.close();
  }
}

const managerArgs = (uplinks: readonly string[]): readonly string[] => [
  ...uplinks.flatMap((uplink) => ['--uplink', uplink]),
  ...['--helpers', 'none', '--on-exit', 'keep'],
];

/** Both families and all sources of a device together. */
export function totals(counters: readonly Counter[], device = 'eth0'): Sums {
  const sum = (field: 'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets', family: number): bigint =>
    counters
      .filter((counter) => counter.device === device && counter.ipFamily === family)
      .reduce((all, counter) => all + counter[field], 0n);
  return {
    4: {
      rx: sum('rxBytes', 1),
      tx: sum('txBytes', 1),
      rxPackets: sum('rxPackets', 1),
      txPackets: sum('txPackets', 1),
    },
    6: {
      rx: sum('rxBytes', 2),
      tx: sum('txBytes', 2),
      rxPackets: sum('rxPackets', 2),
      txPackets: sum('txPackets', 2),
    },
  };
}

/** By family, seen from the host. */
export interface Sums {
  readonly 4: Sum;
  readonly 6: Sum;
}
export interface Sum {
  readonly rx: bigint;
  readonly tx: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
}

export function difference(after: Sums, before: Sums): Sums {
  const of = (family: 4 | 6): Sum => ({
    rx: after[family].rx - before[family].rx,
    tx: after[family].tx - before[family].tx,
    rxPackets: after[family].rxPackets - before[family].rxPackets,
    txPackets: after[family].txPackets - before[family].txPackets,
  });
  return { 4: of(4), 6: of(6) };
}

/** "eth0 SYSTEM v4" */
export const kinds = (counters: readonly Counter[]): readonly string[] =>
  counters.map(
    ({ device, source, ipFamily }) =>
      `${device} ${Object.keys(TrafficCounterSource)[source] ?? '?'} v${ipFamily === 1 ? 4 : 6}`,
  );
