import { freshMac, randomMac, stableMac } from './macs';

test('stable addresses end in their number', () => {
  expect([stableMac(1), stableMac(255)]).toEqual(['42:37:05:13:17:01', '42:37:05:13:17:ff']);
  for (const index of [0, 256, 1.5]) expect(() => stableMac(index)).toThrow(RangeError);
});

const rows = [
  { name: 'the local bit is set', in: [0, 1, 2, 3, 4, 5], want: '02:01:02:03:04:05' },
  { name: 'the group bit is cleared', in: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], want: 'fe:ff:ff:ff:ff:ff' },
];

test.each(rows)('random: $name', ({ in: bytes, want }) => {
  expect(randomMac(Uint8Array.from(bytes))).toBe(want);
});

test('what is taken, and what looks stable, is drawn again', () => {
  const draws = [
    [0, 0, 0, 0, 0, 1],
    [0x42, 0x37, 0x05, 0x13, 0x17, 0x99],
    [0, 0, 0, 0, 0, 2],
  ];
  const draw = (): Uint8Array => Uint8Array.from(draws.shift() ?? []);
  expect(freshMac(draw, (mac) => mac === '02:00:00:00:00:01')).toBe('02:00:00:00:00:02');
  expect(draws).toEqual([]);
});

test('a source of randomness that stands still is a fault', () => {
  expect(() =>
    freshMac(
      () => new Uint8Array(6),
      (mac) => mac === '02:00:00:00:00:00',
    ),
  ).toThrow(/in a row/);
});
