import { growthOver, slopeOf, type Point } from './trend';

const points = (...ys: readonly number[]): readonly Point[] => ys.map((y, x) => ({ x: x * 10, y }));

test.each([
  { name: 'a line', in: points(1, 3, 5, 7), slope: 0.2, growth: 6 },
  { name: 'flat', in: points(4, 4, 4), slope: 0, growth: 0 },
  { name: 'falling', in: points(9, 6, 3), slope: -0.3, growth: -6 },
  { name: 'one outlier does not tilt a flat line', in: points(5, 5, 5, 90, 5, 5, 5), slope: 0, growth: 0 },
  {
    name: 'an outlier at the end does not tilt it either',
    in: points(5, 5, 5, 5, 5, 5, 90),
    slope: 0,
    growth: 0,
  },
])('$name', ({ in: line, slope, growth }) => {
  expect(slopeOf(line)).toBeCloseTo(slope, 12);
  expect(growthOver(line)).toBeCloseTo(growth, 12);
});

test.each([
  { name: 'no point', in: [] },
  { name: 'one point', in: points(1) },
  {
    name: 'one x',
    in: [
      { x: 1, y: 1 },
      { x: 1, y: 2 },
    ],
  },
])('$name has no trend', ({ in: line }) => {
  expect(() => growthOver(line)).toThrow(RangeError);
});
