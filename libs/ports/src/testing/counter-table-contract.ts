import type { CountedElement, CounterReading, CounterTable, CounterTableWish } from '../counter-table';
import { sortedElements } from './fake-counter-table';

/** A counters' table, and what else happens on its host. */
export interface CounterTableSubject {
  readonly table: CounterTable;
  /** One echo request of 84 bytes with this mark from the host to itself through `lo`; its answer has mark 0. */
  readonly ping: (mark: number) => void;
  /** Another program's `nft flush ruleset`. */
  readonly flush: () => void;
}

/** Waits until the condition holds; throws in the end. */
export type Until = (what: string, holds: () => boolean) => Promise<void>;

interface Row {
  readonly name: string;
  readonly run: (subject: CounterTableSubject, until: Until) => Promise<unknown>;
  readonly want: unknown;
}

const wish = (run: string, more: Partial<CounterTableWish> = {}): CounterTableWish => ({
  run,
  size: 16,
  counted: ['lo'],
  ...more,
});

/** "rx 0x100 v4 168/2" */
const words = (reading: CounterReading | null): readonly string[] | null =>
  reading && sortedElements(reading.elements).map(elementWords);

const elementWords = ({ set, mark, family, bytes, packets }: CountedElement): string =>
  `${set} 0x${mark.toString(16)} v${family} ${bytes}/${packets}`;

/** What every counters' table does, the kernel's and the fake. */
export const COUNTER_TABLE_ROWS: readonly Row[] = [
  {
    name: 'nothing is there at first, and removing nothing is nothing',
    run: async ({ table }) => {
      await table.remove();
      return [await table.findRun(), await table.read('a1'), await table.isIntact(wish('a1'))];
    },
    want: [null, null, false],
  },
  {
    name: 'a table that was made is found, and is empty',
    run: async ({ table }) => {
      await table.install(wish('a1'));
      return [await table.findRun(), await table.isIntact(wish('a1')), await table.read('a1')];
    },
    want: ['a1', true, { elements: [], missed: { uplinks: 0n, guests: 0n } }],
  },
  {
    name: 'packets count by source, whatever else is in the mark',
    run: async ({ table, ping }) => {
      await table.install(wish('a1'));
      ping(0x100);
      ping(0x12342101);
      return words(await table.read('a1'));
    },
    want: [
      'uplink_rx 0x0 v4 168/2',
      'uplink_rx 0x100 v4 84/1',
      'uplink_rx 0x2100 v4 84/1',
      'uplink_tx 0x0 v4 168/2',
      'uplink_tx 0x100 v4 84/1',
      'uplink_tx 0x2100 v4 84/1',
    ],
  },
  {
    name: 'uplinks alone',
    run: async ({ table, ping }) => {
      await table.install(wish('a1'));
      ping(0);
      const reading = await table.read('a1', 'uplinks');
      return [words(reading), reading?.missed, await table.read('b2', 'uplinks')];
    },
    want: [['uplink_rx 0x0 v4 168/2', 'uplink_tx 0x0 v4 168/2'], null, null],
  },
  {
    name: 'an interface that is not in the set does not count',
    run: async ({ table, ping }) => {
      await table.install(wish('a1', { counted: ['eth0'] }));
      ping(0);
      return words(await table.read('a1'));
    },
    want: [],
  },
  {
    name: 'making it again keeps the values, another run does not',
    run: async ({ table, ping }) => {
      await table.install(wish('a1'));
      ping(0);
      await table.install(wish('a1', { counted: ['eth0', 'lo'] }));
      const same = words(await table.read('a1'));
      await table.install(wish('b2'));
      return [same, await table.findRun(), words(await table.read('b2')), await table.read('a1')];
    },
    want: [['uplink_rx 0x0 v4 168/2', 'uplink_tx 0x0 v4 168/2'], 'b2', [], null],
  },
  {
    name: 'other names than wished are not intact',
    run: async ({ table }) => {
      await table.install(wish('a1'));
      return [
        await table.isIntact(wish('a1', { counted: ['lo', 'eth0'] })),
        await table.isIntact(wish('b2')),
      ];
    },
    want: [false, false],
  },
  {
    name: 'what finds a set full is counted as missed',
    run: async ({ table, ping }) => {
      await table.install(wish('a1', { size: 1 }));
      ping(0x100);
      const reading = await table.read('a1');
      return [reading?.elements.length, reading?.missed];
    },
    want: [2, { uplinks: 2n, guests: 0n }],
  },
  {
    name: 'what one run missed is not held against the next',
    run: async ({ table, ping }) => {
      await table.install(wish('a1', { size: 1 }));
      ping(0x100);
      await table.install(wish('b2'));
      return (await table.read('b2'))?.missed;
    },
    want: { uplinks: 0n, guests: 0n },
  },
  {
    name: 'a forgotten element is gone and starts anew; one that is gone already is passed over',
    run: async ({ table, ping }) => {
      await table.install(wish('a1'));
      ping(0x100);
      const elements = (await table.read('a1'))?.elements ?? [];
      const named = elements.filter(({ mark }) => mark === 0x100);
      await table.forget('a1', named);
      const after = words(await table.read('a1'));
      await table.forget('a1', [...named, ...elements]);
      ping(0x100);
      return [after, words(await table.read('a1'))];
    },
    want: [
      ['uplink_rx 0x0 v4 84/1', 'uplink_tx 0x0 v4 84/1'],
      [
        'uplink_rx 0x0 v4 84/1',
        'uplink_rx 0x100 v4 84/1',
        'uplink_tx 0x0 v4 84/1',
        'uplink_tx 0x100 v4 84/1',
      ],
    ],
  },
  {
    name: 'who flushes the ruleset is noticed',
    run: async ({ table, flush }, until) => {
      await table.install(wish('a1'));
      let told = 0;
      const stop = await table.watch(() => told++);
      await until('the watch has begun', () => told > 0);
      const before = told;
      flush();
      await until('the deletion was told', () => told > before);
      stop();
      return [await table.findRun(), await table.read('a1')];
    },
    want: [null, null],
  },
  {
    name: 'what was removed is gone',
    run: async ({ table }) => {
      await table.install(wish('a1'));
      await table.remove();
      return [await table.findRun(), await table.read('a1')];
    },
    want: [null, null],
  },
];
