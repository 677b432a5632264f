import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seconds } from '@pp/base';
import { MemoryLog, SeededRandom, VirtualClock } from '@pp/base/testing';
import { MemoryJournal, type Journal } from '@pp/ports';
import { FileJournal } from '../file-journal';
import { JournalStore } from '../journal-store';
import { StoreFault, type Batch, type StateStore } from '../state-store';
import { lines } from '../testing/store-contract';
import { FleetMeter } from './fleet-meter';
import type { Reading } from './meter-journal';

const NOVEMBER = '2026-11';
const reading = (key: string, value: bigint, month = NOVEMBER): Reading => ({ month, key, value });

/** A store whose calls can be lost on the way there, or their answers on the way back. */
class ShakyStore implements Pick<StateStore, 'add'> {
  readonly inner = new JournalStore(new MemoryJournal());
  /** Sizes of the batches that arrived. */
  readonly arrived: number[] = [];
  fate: 'well' | 'lost' | 'answer lost' = 'well';

  async add(batch: Batch): Promise<'added' | 'known'> {
    if (this.fate === 'lost') throw new StoreFault('it is away');
    this.arrived.push(batch.deltas.length);
    const answer = await this.inner.add(batch);
    if (this.fate === 'answer lost') throw new StoreFault('no answer');
    return answer;
  }

  async lines(month = NOVEMBER): Promise<readonly string[]> {
    return lines(await this.inner.totals(month));
  }
}

function rig(journal: Journal = new MemoryJournal(), store = new ShakyStore()) {
  const [clock, log] = [new VirtualClock(), new MemoryLog()];
  const whole = { add: (batch: Batch) => store.add(batch) } as unknown as StateStore;
  const parts = { journal, clock, log, host: 'h1', newId: () => 'a', period: seconds(10) };
  return { meter: new FleetMeter({ ...parts, store: whole }), store, clock, log, journal };
}

test('what has grown is delivered, once', async () => {
  const { meter, store } = rig();
  meter.record([reading('eth0', 100n), reading('vpn', 7n), reading('idle', 0n)]);
  await meter.deliver();
  meter.record([reading('eth0', 150n), reading('vpn', 7n)]);
  meter.record([reading('eth0', 160n)]);
  await meter.deliver();
  await meter.deliver();
  expect(await store.lines()).toEqual(['h1 eth0 160', 'h1 vpn 7']);
  expect(store.arrived).toEqual([2, 1]);
  expect(meter.status).toEqual({ state: 'ok', why: null, waiting: 0, delivered: 2 });
});

test('a total that is less than before adds nothing until it is more again', async () => {
  const { meter, store } = rig();
  for (const value of [100n, 40n, 90n, 100n, 130n]) meter.record([reading('eth0', value)]);
  await meter.deliver();
  expect(await store.lines()).toEqual(['h1 eth0 130']);
});

test('while the store is away what waits is summed up, and the status says so', async () => {
  const { meter, store, log } = rig();
  store.fate = 'lost';
  for (let value = 1n; value <= 1000n; value++) {
    meter.record([reading('eth0', value)]);
    await meter.deliver();
  }
  expect(meter.status).toEqual({ state: 'degraded', why: 'it is away', waiting: 2, delivered: 0 }); // one on its way, one after it
  store.fate = 'well';
  await meter.deliver();
  expect([await store.lines(), store.arrived, meter.status.state]).toEqual([['h1 eth0 1000'], [1, 1], 'ok']);
  expect(log.lines).toEqual(['warn fleet.waits error=it is away', 'info fleet.delivers']);
});

test('an answer that is lost: the same batch again, and it counts once', async () => {
  const { meter, store } = rig();
  meter.record([reading('eth0', 5n)]);
  store.fate = 'answer lost';
  await meter.deliver();
  meter.record([reading('eth0', 9n)]);
  await meter.deliver();
  store.fate = 'well';
  await meter.deliver();
  expect(await store.lines()).toEqual(['h1 eth0 9']);
  expect(store.arrived).toEqual([1, 1, 1, 1]);
});

test('deliveries go on by the clock until it is closed', async () => {
  const { meter, store, clock } = rig();
  const turn = async (): Promise<void> => {
    for (let step = 0; step < 20; step++) await Promise.resolve();
  };
  meter.start();
  await turn();
  for (const value of [1n, 2n, 3n]) {
    meter.record([reading('eth0', value)]);
    clock.advance(seconds(10));
    await turn();
  }
  expect(store.arrived).toEqual([1, 1, 1]);
  meter.close();
  expect(clock.pending()).toEqual([]);
});

test('months that end and begin are counted, one before four others is not, and what was seen of it is forgotten', async () => {
  const { meter, store, journal } = rig();
  const months = ['2025-09', '2025-10', '2025-11', '2025-12'];
  for (const month of months) meter.record([reading('eth0', 5n, month)]);
  meter.record([
    reading('eth0', 7n, '2026-01'),
    reading('eth0', 8n, '2025-12'),
    reading('eth0', 50n, '2025-09'),
  ]);
  await meter.deliver();
  const all = await Promise.all([...months, '2026-01'].map((month) => store.lines(month)));
  expect(all.flat()).toEqual(['h1 eth0 5', 'h1 eth0 5', 'h1 eth0 5', 'h1 eth0 8', 'h1 eth0 7']);
  expect([...journal.load().entries.keys()].filter((name) => name.includes('seen'))).toHaveLength(4);
});

test.each([['2031-07'], ['2031-07', '2040-01', '2099-12']])(
  'a calendar that ran ahead to %s and was set right: the months that come are counted, also by the next run',
  async (...ahead) => {
    const { meter, store, journal } = rig();
    meter.record([reading('eth0', 5n, '2026-11')]);
    for (const month of ahead) meter.record([reading('eth0', 1n, month)]);
    for (const each of [meter, rig(journal, store).meter]) {
      for (const month of ['2026-11', '2026-12', '2027-01', '2027-02'])
        each.record([reading('eth0', 9n, month)]);
      await each.deliver();
    }
    for (const month of ['2026-12', '2027-01', '2027-02'])
      expect(await store.lines(month)).toEqual(['h1 eth0 9']);
  },
);

test('more totals than the journal may hold wait for room, and none is lost', async () => {
  const { meter, store } = rig();
  const many = Array.from({ length: 20_003 }, (_, place) => reading(`k${place}`, 1n));
  meter.record(many);
  expect(meter.status).toMatchObject({ state: 'degraded', waiting: 20_000 });
  expect(meter.status.why).toBe('3 totals more than the journal may hold wait for room');
  await meter.deliver();
  expect(store.arrived).toEqual(Array.from({ length: 10 }, () => 2000));
  meter.record([reading('next', 1n, '2026-12')]);
  expect(meter.status.why).toBe('1 totals more than the journal may hold wait for room');
  for (const month of ['2026-12', '2027-01'])
    meter.record([reading('next', 1n, month), reading('next', 1n, '2026-12')]);
  expect(meter.status.state).toBe('ok');
});

test('a journal that cannot be written: nothing is taken, and it is taken later', async () => {
  const journal = new MemoryJournal();
  const { meter, store } = rig(journal);
  const begin = journal.begin.bind(journal);
  journal.begin = () => {
    throw new Error('ENOSPC');
  };
  expect(() => {
    meter.record([reading('eth0', 5n)]);
  }).toThrow('ENOSPC');
  journal.begin = begin;
  meter.record([reading('eth0', 6n)]);
  await meter.deliver();
  expect(await store.lines()).toEqual(['h1 eth0 6']);
});

test('a new journal is another writer: nothing of it is taken for known', async () => {
  const store = new ShakyStore();
  const first = rig(new MemoryJournal(), store);
  first.meter.record([reading('eth0', 5n)]);
  await first.meter.deliver();
  const whole = { add: (batch: Batch) => store.add(batch) } as unknown as StateStore;
  const parts = {
    store: whole,
    journal: new MemoryJournal(),
    host: 'h1',
    newId: () => 'b',
    period: seconds(1),
  };
  const second = new FleetMeter({ ...parts, clock: new VirtualClock(), log: new MemoryLog() });
  second.record([reading('eth0', 3n)]);
  await second.deliver();
  expect(await store.lines()).toEqual(['h1 eth0 8']);
});

/** Readings grow, the store comes and goes, the process is killed at any point between two steps: in the end each byte is there once. */
test.each([1, 2, 3, 4, 5])('seed %i: a random story ends with the truth', async (seed) => {
  const directory = mkdtempSync(join(tmpdir(), 'pp-meter-'));
  try {
    const path = join(directory, 'fleet');
    const random = new SeededRandom(seed);
    const store = new ShakyStore();
    let journal = new FileJournal(path);
    let { meter } = rig(journal, store);
    const truth = new Map<string, bigint>();
    for (let step = 0; step < 300; step++) {
      store.fate = random.pick(['well', 'lost', 'answer lost']);
      const key = `k${random.below(5)}`;
      truth.set(key, (truth.get(key) ?? 0n) + BigInt(random.below(1000)) * 2n ** BigInt(random.below(60)));
      if (random.below(2) === 0) meter.record([...truth].map(([name, value]) => reading(name, value)));
      if (random.below(2) === 0) await meter.deliver();
      if (random.below(20) > 0) continue;
      journal.close();
      journal = new FileJournal(path);
      ({ meter } = rig(journal, store));
    }
    store.fate = 'well';
    meter.record([...truth].map(([name, value]) => reading(name, value)));
    await meter.deliver();
    const want = [...truth].filter(([, value]) => value > 0n).map(([name, value]) => `h1 ${name} ${value}`);
    expect({ seed, totals: await store.lines() }).toEqual({ seed, totals: want.sort() });
    expect(statSync(path).size).toBeLessThan(500_000);
    journal.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
