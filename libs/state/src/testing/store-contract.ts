import type { Batch, Delta, StateStore, Total } from '../state-store';

export interface StoreRow {
  readonly name: string;
  readonly run: (store: StateStore) => Promise<void>;
}

const NOVEMBER = '2026-11';

export const delta = (key: string, amount: bigint, month = NOVEMBER): Delta => ({ month, key, amount });

export const batch = (
  sequence: number,
  deltas: readonly Delta[],
  host = 'h1',
  writer = `${host}/a`,
): Batch => ({
  host,
  writer,
  sequence,
  deltas,
});

/** "host key amount", in order. */
export const lines = (totals: readonly Total[]): readonly string[] =>
  totals.map(({ host, key, amount }) => `${host} ${key} ${amount}`).sort();

/** The same for memory, a file, ioredis-mock and a real server. */
export const STORE_ROWS: readonly StoreRow[] = [
  {
    name: 'an empty store has nothing',
    run: async (store) => {
      expect([await store.months(), await store.totals(NOVEMBER)]).toEqual([[], []]);
    },
  },
  {
    name: 'deltas add up by month, host and key',
    run: async (store) => {
      expect(await store.add(batch(1, [delta('eth0', 5n), delta('vpn', 7n), delta('eth0', 1n)]))).toBe(
        'added',
      );
      await store.add(batch(1, [delta('eth0', 100n), delta('eth0', 3n, '2026-10')], 'h2'));
      await store.add(batch(2, [delta('eth0', 10n)]));
      expect(lines(await store.totals(NOVEMBER))).toEqual(['h1 eth0 16', 'h1 vpn 7', 'h2 eth0 100']);
      expect(lines(await store.totals('2026-10'))).toEqual(['h2 eth0 3']);
      expect(await store.months()).toEqual(['2026-10', NOVEMBER]);
    },
  },
  {
    name: 'a batch that comes again adds nothing, and neither does an earlier one',
    run: async (store) => {
      for (const sequence of [1, 2]) await store.add(batch(sequence, [delta('eth0', 5n)]));
      for (const sequence of [2, 1])
        expect(await store.add(batch(sequence, [delta('eth0', 5n)]))).toBe('known');
      expect(lines(await store.totals(NOVEMBER))).toEqual(['h1 eth0 10']);
    },
  },
  {
    name: 'writers number for themselves, of one host too',
    run: async (store) => {
      await store.add(batch(9, [delta('eth0', 5n)], 'h1', 'h1/a'));
      expect(await store.add(batch(1, [delta('eth0', 2n)], 'h1', 'h1/b'))).toBe('added');
      expect(await store.add(batch(9, [delta('eth0', 1n)], 'h1', 'h1/a'))).toBe('known');
      expect(lines(await store.totals(NOVEMBER))).toEqual(['h1 eth0 7']);
    },
  },
  {
    name: 'sums of any size are exact',
    run: async (store) => {
      const amounts = [
        9_007_199_254_740_993n,
        9_999_999n,
        1n,
        2n ** 63n,
        10n ** 30n + 7n,
        9_999_999_999_999_999_999n,
        0n,
      ];
      let want = 0n;
      for (const [place, amount] of amounts.entries()) {
        want += amount;
        await store.add(batch(place + 1, [delta('eth0', amount)]));
        expect(lines(await store.totals(NOVEMBER))).toEqual([`h1 eth0 ${want}`]);
      }
    },
  },
  {
    name: 'names may be of any kind',
    run: async (store) => {
      const names = ['a b', '["x","y"]', 'ünïcode', '', 'quote\'"\\', 'line\nfeed', '%s %d'];
      await store.add(
        batch(
          1,
          names.map((name, place) => delta(name, BigInt(place + 1))),
          'h "1"\n',
        ),
      );
      const totals = await store.totals(NOVEMBER);
      expect(Object.fromEntries(totals.map(({ host, key, amount }) => [`${host}|${key}`, amount]))).toEqual(
        Object.fromEntries(names.map((name, place) => [`h "1"\n|${name}`, BigInt(place + 1)])),
      );
    },
  },
  {
    name: 'a batch of two thousand',
    run: async (store) => {
      const deltas = Array.from({ length: 2000 }, (_, place) => delta(`guest ${place}`, BigInt(place)));
      await store.add(batch(1, deltas));
      const totals = await store.totals(NOVEMBER);
      expect(totals.reduce((sum, { amount }) => sum + amount, 0n)).toBe(1_999_000n);
    },
  },
  {
    name: 'an empty batch is a batch',
    run: async (store) => {
      expect([await store.add(batch(1, [])), await store.add(batch(1, []))]).toEqual(['added', 'known']);
    },
  },
];
