import { SeededRandom } from '@pp/base/testing';
import { hasIndex, indexSetOf, lowestAbsent, NO_INDEXES, united, withoutIndexes } from './index-set';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

const rows = [
  { name: 'the empty set', in: [], want: 1 },
  { name: 'a gap at the start', in: [2, 3], want: 1 },
  { name: 'a gap in the middle', in: [1, 2, 4], want: 3 },
  { name: 'one word but its last bit', in: upTo(31), want: 32 },
  { name: 'a full word', in: upTo(32), want: 33 },
  { name: 'full words', in: upTo(96), want: 97 },
  { name: 'a gap in the second word', in: upTo(96).filter((n) => n !== 64), want: 64 },
];

test.each(rows)('lowestAbsent: $name', ({ in: indexes, want }) => {
  expect(lowestAbsent(indexSetOf(indexes))).toBe(want);
});

test('a value does not change under its holder', () => {
  const one = indexSetOf([1]);
  indexSetOf([2], one);
  withoutIndexes([1], one);
  expect([hasIndex(NO_INDEXES, 1), hasIndex(one, 1), hasIndex(one, 2)]).toEqual([false, true, false]);
});

test('it behaves as a set does', () => {
  const random = new SeededRandom(1);
  const model = new Set<number>();
  let set = NO_INDEXES;
  for (let step = 0; step < 500; step++) {
    const index = 1 + random.below(130);
    expect(hasIndex(set, index)).toBe(model.has(index));
    if (random.below(3) === 0) {
      set = withoutIndexes([index], set);
      model.delete(index);
    } else {
      set = indexSetOf([index], set);
      model.add(index);
    }
    expect(lowestAbsent(set)).toBe(upTo(131).find((n) => !model.has(n)));
  }
});

test.each([
  { name: 'nothing and something', a: [], b: [40], want: [40] },
  { name: 'something and nothing', a: [1, 40], b: [], want: [1, 40] },
  { name: 'the shorter first', a: [1, 2], b: [2, 70], want: [1, 2, 70] },
  { name: 'the longer first', a: [32, 70], b: [31], want: [31, 32, 70] },
])('united: $name', ({ a, b, want }) => {
  const both = united(indexSetOf(a), indexSetOf(b));
  expect(upTo(100).filter((n) => hasIndex(both, n))).toEqual(want);
});
