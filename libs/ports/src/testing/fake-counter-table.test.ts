import { COUNTER_TABLE_ROWS, type CounterTableSubject } from './counter-table-contract';
import { FakeCounterTable } from './fake-counter-table';

const immediately = (what: string, holds: () => boolean): Promise<void> =>
  holds() ? Promise.resolve() : Promise.reject(new Error(`not so: ${what}`));

function subject(): CounterTableSubject {
  const table = new FakeCounterTable();
  const ping = (mark: number): void => {
    for (const set of ['uplink_tx', 'uplink_rx'] as const)
      for (const each of [mark, 0])
        table.pass({ set, ifname: 'lo', uplink: 'lo', mark: each, family: 4 }, 84n);
  };
  return { table, ping, flush: () => { table.flush(); } }; // prettier-ignore
}

test.each(COUNTER_TABLE_ROWS)('$name', async ({ run, want }) => {
  expect(await run(subject(), immediately)).toEqual(want);
});
