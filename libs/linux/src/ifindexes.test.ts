import { Ifindexes } from './ifindexes';

test('one after the other, from somewhere above what kernels count to', () => {
  const some = new Ifindexes(() => 0);
  expect([some.take(), some.take(), some.take()]).toEqual([100_000, 100_001, 100_002]);
  const last = new Ifindexes(() => 1 - Number.EPSILON);
  expect(last.take()).toBe(999_999);
});

test('what was skipped does not come back', () => {
  const some = new Ifindexes(() => 0.5);
  const before = some.take();
  some.skip();
  expect(some.take()).toBeGreaterThan(before + 100_000);
});
