import { macFromBytes, macToBytes, parseMac, parseMacBytes, type MacAddress } from './mac';

const rows = [
  { name: 'lower case stays', in: '42:37:05:13:17:01', want: '42:37:05:13:17:01' },
  { name: 'upper case is made lower', in: '02:AB:cD:00:00:FF', want: '02:ab:cd:00:00:ff' },
  { name: 'five pairs', in: '42:37:05:13:17', want: null },
  { name: 'seven pairs', in: '42:37:05:13:17:01:02', want: null },
  { name: 'one digit', in: '2:37:05:13:17:01', want: null },
  { name: 'dashes', in: '42-37-05-13-17-01', want: null },
  { name: 'no hex', in: '4g:37:05:13:17:01', want: null },
  { name: 'a line break at the end', in: '42:37:05:13:17:01\n', want: null },
];

test.each(rows)('parse: $name', ({ in: text, want }) => {
  expect(parseMac(text)).toBe(want);
});

test('bytes both ways', () => {
  const bytes = Uint8Array.of(0x02, 0x00, 0x5e, 0x10, 0xff, 0x01);
  expect(macFromBytes(bytes)).toBe('02:00:5e:10:ff:01');
  expect(macToBytes('02:00:5e:10:ff:01' as MacAddress)).toEqual(bytes);
  expect([parseMacBytes('02:00:5E:10:fF:01'), parseMacBytes('02:00:5e:10:ff')]).toEqual([bytes, null]);
});

test('five bytes are no MAC address', () => {
  expect(() => macFromBytes(new Uint8Array(5))).toThrow(RangeError);
});
