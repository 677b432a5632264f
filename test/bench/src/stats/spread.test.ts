import { median, spreadOf } from './spread';

test.each([
  { name: 'one sample is all five numbers', in: [7], want: [1, 7, 7, 7, 7, 7] },
  { name: 'odd count: the middle one', in: [5, 1, 3], want: [3, 1, 2, 3, 4, 5] },
  { name: 'even count: halfway between the middle two', in: [4, 1, 3, 2], want: [4, 1, 1.75, 2.5, 3.25, 4] },
  { name: 'order is by value, not by text', in: [10, 9, 100, 1], want: [4, 1, 7, 9.5, 32.5, 100] },
  { name: 'equal samples', in: [2, 2, 2], want: [3, 2, 2, 2, 2, 2] },
])('$name', ({ in: samples, want }) => {
  const { count, min, lower, median: middle, upper, max } = spreadOf(samples);
  expect([count, min, lower, middle, upper, max]).toEqual(want);
});

test('the samples are left as they were', () => {
  const samples = [3, 1, 2];
  expect(median(samples)).toBe(2);
  expect(samples).toEqual([3, 1, 2]);
});

test('no samples is an error, not NaN', () => {
  expect(() => spreadOf([])).toThrow(RangeError);
  expect(() => median([])).toThrow(RangeError);
});
