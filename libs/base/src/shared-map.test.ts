import { SharedMap } from './shared-map';
import { SeededRandom } from './testing';

const abc = SharedMap.of([
  ['a', 1],
  ['b', 2],
  ['c', 3],
]);

const rows = [
  { name: 'nothing', come: [], gone: [], want: 'a1 b2 c3' },
  { name: 'one more', come: [['d', 4]], gone: [], want: 'a1 b2 c3 d4' },
  { name: 'another value in its place', come: [['b', 5]], gone: [], want: 'a1 b5 c3' },
  { name: 'one less', come: [], gone: ['b'], want: 'a1 c3' },
  { name: 'what is not there is nothing', come: [], gone: ['x'], want: 'a1 b2 c3' },
  { name: 'what comes again comes last', come: [['a', 6]], gone: ['a'], want: 'b2 c3 a6' },
] as const;

test.each(rows)('changed: $name', ({ come, gone, want }) => {
  const changed = abc.changed(come, gone);
  expect(textOf(changed)).toBe(want);
  expect(textOf(abc)).toBe('a1 b2 c3');
  expect(changed.size).toBe(want.split(' ').length);
});

test('two maps are told apart by value', () => {
  const other = abc.changed(
    [
      ['b', 5],
      ['d', 4],
    ],
    ['a'],
  );
  expect(abc.beside(other)).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  expect([abc.keysBeside(other), other.keysBeside(abc)]).toEqual([['a'], ['d']]);
  expect(other.beside(abc)).toEqual([
    ['b', 5],
    ['d', 4],
  ]);
  expect(abc.beside(SharedMap.of(abc))).toEqual([]);
});

test('a change looks at none of the entries that stay', () => {
  const many = SharedMap.of(Array.from({ length: 1000 }, (_, i) => [i, i] as const));
  const looks = countingLooks(() => {
    const next = many.changed([[1000, 0]], [3]);
    expect([next.beside(many), many.beside(next)]).toEqual([[[1000, 0]], [[3, 3]]]);
  });
  expect(looks).toBeLessThan(20);
});

test('what comes again looks at none of them either', () => {
  const many = SharedMap.of(Array.from({ length: 1000 }, (_, i) => [i, i] as const));
  const looks = countingLooks(() => {
    const again = many.changed([], [3]).changed([[3, 0]]);
    expect([again.beside(many), again.get(3)]).toEqual([[[3, 0]], 0]);
  });
  expect(looks).toBeLessThan(20);
});

test('nor does a change after which all was written anew', () => {
  let last = SharedMap.of(Array.from({ length: 1000 }, (_, i) => [i, i] as const));
  for (let i = 0; i < 100; i++) {
    const next = last.changed([[i, -1]], [i + 500]);
    const looks = countingLooks(() => {
      expect([next.beside(last).length, last.beside(next).length]).toEqual([1, 2]);
    });
    expect(looks).toBeLessThan(20);
    last = next;
  }
});

test('any walk is the walk of a Map', () => {
  const random = new SeededRandom(1);
  const below = (n: number): number => random.below(n);
  const versions = [{ map: SharedMap.of<number, number>(), like: new Map<number, number>() }];
  for (let step = 0; step < 1000; step++) {
    const from = versions[below(versions.length)] ?? {
      map: SharedMap.of<number, number>(),
      like: new Map<number, number>(),
    };
    const like = new Map(from.like);
    const gone = Array.from({ length: below(3) }, () => below(60));
    const come = Array.from({ length: below(3) }, () => [below(60), step] as const);
    for (const key of gone) like.delete(key);
    for (const [key, value] of come) like.set(key, value);
    const map = from.map.changed(come, gone);
    expect([...map]).toEqual([...like]);
    expect(map.size).toBe(like.size);
    expect(keysOf(map.beside(from.map))).toEqual(keysOf(besideByLook(like, from.like)));
    expect(keysOf(from.map.beside(map))).toEqual(keysOf(besideByLook(from.like, like)));
    versions.splice(versions.length < 20 ? versions.length : below(20), 1, { map, like });
  }
});

const textOf = (map: ReadonlyMap<string, number>): string =>
  [...map].map(([key, value]) => `${key}${value}`).join(' ');

const keysOf = (entries: readonly (readonly [number, number])[]): readonly number[] =>
  entries.map(([key]) => key).toSorted((a, b) => a - b);

const besideByLook = (
  one: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
): readonly (readonly [number, number])[] => [...one].filter(([key, value]) => other.get(key) !== value);

/** How often `work` asks any Map for a key, or is shown an entry. */
function countingLooks(work: () => void): number {
  let looks = 0;
  const get = jest.spyOn(Map.prototype, 'get');
  const forEach = jest.spyOn(Map.prototype, 'forEach').mockImplementation(function (
    this: Map<unknown, unknown>,
    visit,
  ) {
    looks += this.size;
    for (const [key, value] of this.entries()) visit(value, key, this);
  });
  try {
    work();
    return looks + get.mock.calls.length;
  } finally {
    get.mockRestore();
    forEach.mockRestore();
  }
}
