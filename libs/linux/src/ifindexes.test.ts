import { routingTag } from '@pp/datapath';
import { Ifindexes } from './ifindexes';

test('one after the other, from somewhere', () => {
  const some = new Ifindexes(() => 0);
  expect([some.take('guest'), some.take('guest'), some.take('bridge')]).toEqual([100_000, 100_001, 20_000]);
  const last = new Ifindexes(() => 1 - Number.EPSILON);
  expect([last.take('guest'), last.take('bridge')]).toEqual([999_999, 59_999]);
});

test('a bridge always has a routing tag, however many there were', () => {
  const some = new Ifindexes(() => 0.999);
  const all = Array.from({ length: 10_000 }, () => some.take('bridge'));
  expect(() => all.map(routingTag)).not.toThrow();
  expect(new Set(all).size).toBe(all.length);
});

test('what was skipped does not soon come back', () => {
  const some = new Ifindexes(() => 0.5);
  const [veth, bridge] = [some.take('guest'), some.take('bridge')];
  some.skip();
  expect([some.take('guest'), some.take('bridge')]).toEqual([veth + 5001, bridge + 5001]);
});
