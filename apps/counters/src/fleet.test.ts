import { seconds } from '@pp/base';
import { FleetMeter, openStore, StoreFault, type StateStore } from '@pp/state';
import { MemoryJournal } from '@pp/ports';
import { readingsOf, tablesOfFleet } from './core/fleet-keys';
import { Ledger } from './core/ledger';
import type { ReportWish } from './core/report';
import { Fleet } from './fleet';
import { byGuest, byUplink, Rig, VM_MARK } from './testing/rig';

const MONTH = '2026-11';
const NOTHING = { guest: false, uplink: false, source: false, family: false, hour: false, host: false };

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => {
  rig.close();
});

function fleetOf(store: StateStore, host: string, journal = new MemoryJournal()): Fleet {
  const parts = {
    store,
    journal,
    host,
    newId: () => host,
    clock: rig.clock,
    log: rig.log,
    period: seconds(10),
  };
  return new Fleet({ store, meter: new FleetMeter(parts), host, shown: 'memory:' });
}

/** "h1 termina/5 eth0 rx 10 tx 0", by host, guest and uplink. */
async function reportOf(
  fleet: Fleet,
  ledger: Parameters<Fleet['report']>[0],
  by: Partial<ReportWish['by']> = {},
) {
  const report = await fleet.report(ledger, { month: MONTH, by: { ...NOTHING, ...by } });
  if (!report.ok) return report.sentence;
  return report.value.rows.map(({ host, guest, uplink, rxBytes, txBytes }) =>
    [host, guest, uplink, `rx ${rxBytes} tx ${txBytes}`].filter((word) => word !== '').join(' '),
  );
}

/** A service that has counted this much for a guest and in all. */
async function counted(all: bigint, ofGuest: bigint) {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_rx', 'eth0', VM_MARK), all, 1n);
  rig.table.pass(byGuest('guest_rx', 'vmtap0', 'eth0'), ofGuest, 1n);
  await rig.advance(10_000, service);
  return service;
}

test('sums of the months that may still grow, by names that come back as they were', async () => {
  const service = await counted(100n, 60n);
  const readings = [...readingsOf(service.ledger)];
  expect(readings).toContainEqual({ month: MONTH, key: '* eth0 4 v4 rxBytes', value: 100n });
  const tables = tablesOfFleet(readings.map(({ key, value }) => ({ host: 'h1', key, amount: value })));
  const month = service.ledger.months.find(MONTH);
  expect(tables.map(({ host, table }) => [host, [...table.rows()]])).toEqual([
    ['h1', [...(month?.rows() ?? [])]],
  ]);
  expect(tablesOfFleet([{ host: 'h9', key: 'no such words', amount: 1n }])).toEqual([]);
});

test('two hosts in one store: by host, by guest, and in all', async () => {
  const store = await openStore({ kind: 'memory' });
  const [one, two] = [fleetOf(store, 'h1'), fleetOf(store, 'h2')];
  const service = await counted(100n, 60n);
  expect(await reportOf(one, service.ledger, { host: true })).toEqual(['h1 rx 100 tx 0']);
  rig.table.pass(byUplink('uplink_tx', 'eth0'), 7n, 1n);
  await rig.advance(10_000, service);
  two.record(service.ledger);
  expect(await reportOf(two, service.ledger, { host: true, guest: true })).toEqual([
    'h1 host rx 40 tx 0',
    'h1 termina/5 rx 60 tx 0',
    'h2 host rx 40 tx 7',
    'h2 termina/5 rx 60 tx 0',
  ]);
  expect(await reportOf(one, service.ledger)).toEqual(['rx 200 tx 14']); // h1 has brought its last bytes by asking
});

test('a calendar that ran ahead twice and was set right: the fleet has what is counted now, also after a restart', async () => {
  const fleet = fleetOf(await openStore({ kind: 'memory' }), 'h1');
  for (const year of [2050, 2040]) {
    rig.wall = Date.UTC(year, 0);
    const service = await counted(3n, 1n);
    fleet.record(service.ledger);
  }
  rig.wall = Date.UTC(2026, 10, 21);
  const service = await counted(100n, 60n);
  expect(await reportOf(fleet, service.ledger)).toEqual(['rx 100 tx 0']);
  expect(await reportOf(fleet, rig.open().ledger)).toEqual(['rx 100 tx 0']);
  const whole = Ledger.fromJson(service.ledger.toJson());
  expect(whole?.months.latest(2)).toEqual(service.ledger.months.latest(2));
});

test('every sample of the clock is recorded, and the last one', async () => {
  const seen: bigint[] = [];
  const service = await rig.started({}, (ledger) =>
    seen.push([...readingsOf(ledger)].reduce((sum, { value }) => sum + value, 0n)),
  );
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 9n, 1n);
  await rig.advance(10_000, service);
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 9n, 1n);
  await service.stop();
  expect(seen).toEqual([10n, 20n]);
});

test.each([
  {
    name: 'hours',
    wish: { month: MONTH, by: { ...NOTHING, hour: true } },
    want: 'hours are known by each host alone; ask for them without the fleet',
  },
  {
    name: 'no month',
    wish: { month: '2026-13', by: NOTHING },
    want: "'2026-13' is no month; write it as 2026-11",
  },
  {
    name: 'a month of nobody',
    wish: { month: '2020-01', by: NOTHING },
    want: 'nothing is known of 2020-01 in the fleet',
  },
])('$name', async ({ wish, want }) => {
  const service = await counted(1n, 1n);
  const answer = await fleetOf(await openStore({ kind: 'memory' }), 'h1').report(service.ledger, wish);
  expect(answer.ok ? answer.value : answer.sentence).toBe(want);
});

test('a store that is away: the sentence, the warning, and what waits', async () => {
  const away = () => Promise.reject(new StoreFault('Redis: connect ECONNREFUSED'));
  const store: StateStore = { add: away, totals: away, months: away, close: () => Promise.resolve() };
  const fleet = fleetOf(store, 'h1');
  const service = await counted(1n, 1n);
  expect(await reportOf(fleet, service.ledger)).toBe(
    "the fleet's store does not answer: Redis: connect ECONNREFUSED",
  );
  expect(fleet.warnings).toEqual([
    "the fleet's store takes nothing: Redis: connect ECONNREFUSED; what was counted waits here",
  ]);
  expect(fleet.status).toMatchObject({ fleetHost: 'h1', fleetWaiting: 4, fleetDelivered: 0 });
});
