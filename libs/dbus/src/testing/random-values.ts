import type { SeededRandom } from '@pp/base/testing';
import { signatureOf, type Type } from '../wire/signature';
import { Variant } from '../wire/values';

const BASIC = ['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g', 'h'] as const;

/** Any type, in at most `depth` containers. */
export function randomType(random: SeededRandom, depth: number): Type {
  const some = (): Type => randomType(random, depth - 1);
  switch (depth === 0 ? 9 : random.below(10)) {
    case 0:
      return { code: 'v' };
    case 1:
      return { code: 'a', element: some() };
    case 2:
      return { code: 'a', element: { code: 'y' } };
    case 3:
      return { code: '(', members: Array.from({ length: 1 + random.below(3) }, some) };
    case 4:
      return { code: '{', key: { code: random.pick(BASIC) }, value: some() };
    default:
      return { code: random.pick(BASIC) };
  }
}

const NUMBERS: Readonly<Record<string, readonly (number | bigint)[]>> = {
  y: [0, 1, 255],
  n: [-32768, -1, 0, 1, 32767],
  q: [0, 1, 65535],
  i: [-2147483648, -1, 0, 1, 2147483647],
  u: [0, 1, 2147483648, 4294967295],
  x: [1n - 2n ** 63n, -1n, 0n, 1n, 2n ** 63n - 1n],
  t: [0n, 1n, 2n ** 63n, 2n ** 64n - 1n],
  d: [0, -0.5, 1.5, 1e300, Number.MIN_VALUE],
};
const TEXTS = ['', 'a', 'Grüße', '\u{1f600}', '\ufffd', 'a longer one, of more than eight bytes'];
const PATHS = ['/', '/a', '/org/freedesktop/DBus', '/a_1/2'];
const SIGNATURES = ['', 'y', 'ayh', 'a{sv}', '(i(ss))'];

/** A value of that type; a descriptor's index is below `fdCount`, which is above 0. */
export function randomValue(random: SeededRandom, type: Type, fdCount: number): unknown {
  const value = (of: Type): unknown => randomValue(random, of, fdCount);
  const some = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  switch (type.code) {
    case 'b':
      return random.below(2) === 1;
    case 's':
      return random.pick(TEXTS);
    case 'o':
      return random.pick(PATHS);
    case 'g':
      return random.pick(SIGNATURES);
    case 'h':
      return random.below(fdCount);
    case 'v': {
      const inner = randomType(random, 2);
      return new Variant(signatureOf(inner), value(inner));
    }
    case '(':
      return type.members.map(value);
    case '{':
      return new Map(some(() => [value(type.key), value(type.value)]));
    case 'a':
      if (type.element.code === 'y') return Uint8Array.from(some(() => random.below(256)));
      return some(() => value(type.element));
    default:
      return random.pick(NUMBERS[type.code] ?? []);
  }
}
