/** Two hosts under load, and a redis-server that is killed, started again, and stands still: in the end each byte is there once. */
import { join } from 'node:path';
import { millis, type Clock } from '@pp/base';
import { MemoryLog } from '@pp/base/testing';
import { FileJournal } from '../file-journal';
import { openStore } from '../open-store';
import type { StateStore } from '../state-store';
import { redisMissing, RedisServer, until } from '../testing/redis-server';
import { lines } from '../testing/store-contract';
import { FleetMeter } from './fleet-meter';

const NOVEMBER = '2026-11';
const missing = redisMissing();

const clock: Clock = {
  now: () => millis(performance.now()),
  after: (_name, delay, task) => {
    const timer = setTimeout(task, delay);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** A host whose totals grow every few milliseconds. */
class LoadedHost {
  readonly meter: FleetMeter;
  readonly store: StateStore;
  readonly #journal: FileJournal;
  readonly #load: NodeJS.Timeout;
  readonly #totals = [0n, 0n, 0n];
  records = 0;

  private constructor(
    readonly name: string,
    directory: string,
    store: StateStore,
  ) {
    this.store = store;
    this.#journal = new FileJournal(join(directory, `${name}.journal`));
    const parts = { host: name, newId: () => `${name}-1`, clock, log: new MemoryLog(), period: millis(20) };
    this.meter = new FleetMeter({ ...parts, store: this.store, journal: this.#journal });
    this.meter.start();
    this.#load = setInterval(() => {
      this.#grow();
    }, 5);
  }

  static async start(name: string, { url, directory }: RedisServer): Promise<LoadedHost> {
    return new LoadedHost(name, directory, await openStore({ kind: 'redis', url }));
  }

  get truth(): readonly string[] {
    return this.#totals.map((value, place) => `${this.name} eth${place} ${value}`);
  }

  rest(): void {
    clearInterval(this.#load);
  }

  async close(): Promise<void> {
    this.rest();
    this.meter.close();
    await this.meter.deliver();
    await this.store.close();
    this.#journal.close();
  }

  #grow(): void {
    this.#totals.forEach((value, place) => (this.#totals[place] = value + 2n ** 55n + BigInt(this.records)));
    this.meter.record(this.#totals.map((value, place) => ({ month: NOVEMBER, key: `eth${place}`, value })));
    this.records++;
  }
}

const run = async (): Promise<void> => {
  const server = new RedisServer();
  await server.start();
  const hosts = await Promise.all(['h1', 'h2'].map((name) => LoadedHost.start(name, server)));
  const all = (what: string, holds: (host: LoadedHost) => boolean): Promise<void> =>
    until(what, () => hosts.every(holds));
  const delivers = (): Promise<void> => {
    const before = hosts.map(({ meter }) => meter.status.delivered);
    return until('both deliver', () =>
      hosts.every(({ meter }, i) => meter.status.delivered > (before[i] ?? 0) + 2),
    );
  };
  const goesOn = (): Promise<void> => {
    const before = hosts.map(({ records }) => records);
    return until('local work goes on', () =>
      hosts.every(({ records }, i) => records > (before[i] ?? 0) + 20),
    );
  };
  try {
    await delivers();
    for (let round = 0; round < 3; round++) {
      await server.signal('SIGKILL');
      await all('both say that it is away', ({ meter }) => meter.status.state === 'degraded');
      await goesOn();
      expect(hosts.every(({ meter }) => meter.status.waiting <= 6)).toBe(true); // three totals on their way, three after them
      await server.start();
      await delivers();
    }
    await server.signal('SIGSTOP');
    await all('both say that it does not answer', ({ meter }) => meter.status.state === 'degraded');
    await goesOn();
    await server.signal('SIGCONT');
    await delivers();
    for (const host of hosts) host.rest();
    await all('all has arrived', ({ meter }) => meter.status.waiting === 0 && meter.status.state === 'ok');
    const [host] = hosts;
    expect(lines((await host?.store.totals(NOVEMBER)) ?? [])).toEqual(hosts.flatMap(({ truth }) => truth));
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
    await server.close();
  }
};

const title = 'a redis-server that is killed, started again and stopped, under load';
if (missing === undefined) test(title, run, 90_000);
else test.skip(`${title} (needs ${missing})`, run);
