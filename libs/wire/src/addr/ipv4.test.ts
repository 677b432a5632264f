import {
  ipv4FromBytes,
  ipv4FromNumber,
  ipv4ToBytes,
  ipv4ToNumber,
  parseIpv4,
  type Ipv4Address,
} from './ipv4';

const A = '100.115.92.129' as Ipv4Address;

const rows = [
  { name: 'an address', in: '100.115.92.129', want: '100.115.92.129' },
  { name: 'the ends', in: '255.255.255.255', want: '255.255.255.255' },
  { name: 'a leading zero', in: '100.115.092.1', want: null },
  { name: 'three parts', in: '100.115.92', want: null },
  { name: 'five parts', in: '1.2.3.4.5', want: null },
  { name: 'above 255', in: '100.115.92.256', want: null },
  { name: 'hex', in: '0x64.115.92.1', want: null },
  { name: 'one number', in: '1685281921', want: null },
  { name: 'a blank', in: ' 1.2.3.4', want: null },
  { name: 'a line break at the end', in: '1.2.3.4\n', want: null },
  { name: 'two leading zeros', in: '1.2.00.4', want: null },
  { name: 'an empty part', in: '1..3.4', want: null },
  { name: 'a dot at the end', in: '1.2.3.4.', want: null },
  { name: 'IPv6', in: '::1', want: null },
  { name: 'nothing', in: '', want: null },
];

test.each(rows)('parse: $name', ({ in: text, want }) => {
  expect(parseIpv4(text)).toBe(want);
});

test('numbers both ways, first octet highest', () => {
  expect(ipv4ToNumber(A)).toBe(0x64735c81);
  expect(ipv4FromNumber(0x64735c81)).toBe('100.115.92.129');
  expect(ipv4FromNumber(0xffffffff)).toBe('255.255.255.255');
});

test.each([-1, 2 ** 32, 1.5, Number.NaN])('%p is no address', (value) => {
  expect(() => ipv4FromNumber(value)).toThrow(RangeError);
});

test('bytes both ways', () => {
  expect(ipv4ToBytes(A)).toEqual(Uint8Array.of(100, 115, 92, 129));
  expect(ipv4FromBytes(Uint8Array.of(100, 115, 92, 129))).toBe('100.115.92.129');
  expect(() => ipv4FromBytes(new Uint8Array(16))).toThrow(RangeError);
});
