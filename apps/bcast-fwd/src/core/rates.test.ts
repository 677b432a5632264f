import { millis } from '@pp/base';
import { Rates } from './rates';

const [IFINDEX, OTHER_IFINDEX, SOURCE, OTHER] = [2, 3, 0xc0a84d14, 0xc0a84d15];

/** How many of `tries` datagrams of a source pass at this time. */
const passing = (rates: Rates, tries: number, at: number, source = SOURCE, ifindex = IFINDEX): number =>
  Array.from({ length: tries }, () => rates.take(ifindex, source, millis(at))).filter(Boolean).length;

test.each([
  { name: 'a second’s worth at once', in: [[100, 0]], want: [10] },
  {
    name: 'and what a second brings after it',
    in: [
      [100, 0],
      [100, 1000],
    ],
    want: [10, 10],
  },
  {
    name: 'what was refused is not owed',
    in: [
      [1000, 0],
      [1, 100],
      [1, 150],
    ],
    want: [10, 1, 0],
  },
  {
    name: 'no more is saved than a second’s worth',
    in: [
      [1, 0],
      [100, 60_000],
    ],
    want: [1, 10],
  },
] as const)('of 10 a second: $name', ({ in: tries, want }) => {
  const rates = new Rates(10, 10);
  expect(tries.map(([count, at]) => passing(rates, count, at))).toEqual(want);
});

test('each source on each interface has its own', () => {
  const rates = new Rates(10, 10);
  expect([
    passing(rates, 100, 0),
    passing(rates, 100, 0, OTHER),
    passing(rates, 100, 0, SOURCE, OTHER_IFINDEX),
  ]).toEqual([10, 10, 10]);
});

test('all sources of an interface together have ten times as much, until the interface is another', () => {
  const rates = new Rates(10, 10);
  const all = (first: number): number =>
    Array.from({ length: 50 }, (_, n) => passing(rates, 10, 0, first + n)).reduce((sum, n) => sum + n, 0);
  expect([all(SOURCE), all(SOURCE + 50)]).toEqual([100, 0]);
  rates.forget(IFINDEX);
  expect(all(SOURCE + 100)).toBe(100);
});

test('0 is no limit', () => {
  expect(passing(new Rates(0, 10), 5000, 0)).toBe(5000);
});
