import { interleave, pairRatios } from './interleave';

test('every round runs all, and who goes first rotates', async () => {
  const order: string[] = [];
  const ran = (name: string) => (round: number) => Promise.resolve(order.push(`${name}${round}`));
  await interleave(4, { a: ran('a'), b: ran('b'), c: ran('c') });
  expect(order.join(' ')).toBe('a0 b0 c0 b1 c1 a1 c2 a2 b2 a3 b3 c3');
});

test('samples of one index are of one round', async () => {
  const samples = await interleave(3, {
    x: (round) => Promise.resolve(round),
    y: (round) => Promise.resolve(10 * round),
  });
  expect(samples).toEqual({ x: [0, 1, 2], y: [0, 10, 20] });
});

test('one contender at a time', async () => {
  let running = 0;
  const alone = async (): Promise<number> => {
    expect(++running).toBe(1);
    await Promise.resolve();
    return --running;
  };
  await interleave(3, { a: alone, b: alone });
});

test('rounds are told as they end', async () => {
  const told: number[] = [];
  await interleave(2, { a: () => Promise.resolve(1) }, (round) => told.push(round));
  expect(told).toEqual([0, 1]);
});

test('a fault ends the measurement', async () => {
  await expect(interleave(2, { a: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
});

test('ratios are of pairs', () => {
  expect(pairRatios([2, 9, 5], [1, 3, 10])).toEqual([2, 3, 0.5]);
  expect(() => pairRatios([1, 2], [1])).toThrow(RangeError);
});
