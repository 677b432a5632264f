import { hourOf, monthOf, Periods, untilNextHourMs } from './periods';
import { ALL, MAX_GUEST_ROWS, TrafficTable } from './traffic-table';

test('names are of UTC', () => {
  const at = Date.UTC(2026, 0, 31, 23, 59, 59, 999);
  expect([monthOf(at), hourOf(at), untilNextHourMs(at)]).toEqual(['2026-01', '2026-01-31T23', 1]);
});

test('the oldest periods go first', () => {
  const periods = new Periods(2);
  for (const name of ['b', 'a', 'c']) periods.at(name);
  expect(periods.names()).toEqual(['b', 'c']);
});

test('and also where there are too many rows, but for the newest', () => {
  const periods = new Periods(10, 2);
  const key = { guest: ALL, uplink: 'eth0', source: 0, family: 4 } as const;
  for (const name of ['a', 'b', 'c']) {
    periods.at(name).add(key, 'rx', 1n, 1n);
    periods.at(name).add({ ...key, family: 6 }, 'rx', 1n, 1n);
  }
  expect(periods.names()).toEqual(['b', 'c']);
});

test('guests beyond the number that is kept apart are others, and no byte is lost', () => {
  const table = new TrafficTable();
  for (let n = 0; n < MAX_GUEST_ROWS + 10; n++)
    table.add({ guest: `namespace/${n}`, uplink: 'eth0', source: 8, family: 4 }, 'tx', 1n, 1n);
  const rows = [...table.rows()];
  expect(rows.length).toBe(MAX_GUEST_ROWS + 1);
  expect(rows.at(-1)).toMatchObject({ guest: 'others', txBytes: 10n });
});
