import { hrtime } from 'node:process';
import { systemClock } from './system-clock';

test('time is that of CLOCK_MONOTONIC, and never goes back', () => {
  const monotonicMs = Number(hrtime.bigint()) / 1e6;
  const times = Array.from({ length: 1000 }, () => systemClock.now());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.abs((times[0] ?? NaN) - monotonicMs)).toBeLessThan(60_000); // any other clock is farther off
});
