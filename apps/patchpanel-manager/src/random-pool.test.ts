import { randomPool } from './random-pool';

test('gives each byte once, and asks for more when too few are left', () => {
  let asked = 0;
  const draw = (n: number): Uint8Array => new Uint8Array(n).fill(++asked);
  const random = randomPool(draw);
  expect(random(500)).toEqual(new Uint8Array(500).fill(1));
  expect(random(12)).toEqual(new Uint8Array(12).fill(1));
  expect(random(6)).toEqual(new Uint8Array(6).fill(2));
  expect(asked).toBe(2);
});

test('more than it keeps is given whole', () => {
  expect(randomPool((n) => new Uint8Array(n).fill(7))(600)).toEqual(new Uint8Array(600).fill(7));
});

test('what was given does not change when more is asked for', () => {
  let next = 0;
  const random = randomPool((n) => Uint8Array.from({ length: n }, () => next++));
  const first = random(3);
  random(3);
  expect([...first]).toEqual([0, 1, 2]);
});
