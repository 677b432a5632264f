import { randomBytes } from './random-bytes';

test('as many as asked for, and others each time', () => {
  const drawn = Array.from({ length: 8 }, () => randomBytes(16));
  expect(drawn.map(({ length }) => length)).toEqual(drawn.map(() => 16));
  expect(new Set(drawn.map((bytes) => bytes.toString('hex'))).size).toBe(8);
});
