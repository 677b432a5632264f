import ipaddr from 'ipaddr.js';
import { ipv6FromBytes, ipv6ToBytes, isLinkLocalIpv6, parseIpv6, type Ipv6Address } from './ipv6';

const rows = [
  { name: 'the longest run of zeros is cut', in: '2001:DB8:0:0:1:0:0:0', want: '2001:db8:0:0:1::' },
  { name: 'the first of two equal runs is cut', in: '2001:db8:0:0:1:0:0:1', want: '2001:db8::1:0:0:1' },
  { name: 'a single zero is not cut', in: '2001:db8:0:1:1:1:1:1', want: '2001:db8:0:1:1:1:1:1' },
  { name: 'leading zeros go', in: 'fd00:0000::0001', want: 'fd00::1' },
  { name: 'unspecified', in: '::', want: '::' },
  { name: 'IPv4-mapped', in: '::ffff:64:0102', want: '::ffff:0.100.1.2' },
  { name: 'a zone', in: 'fe80::1%eth0', want: null },
  { name: 'two gaps', in: '1::2::3', want: null },
  { name: 'nine groups', in: '1:2:3:4:5:6:7:8:9', want: null },
  { name: 'five digits', in: '12345::', want: null },
  { name: 'brackets', in: '[::1]', want: null },
  { name: 'IPv4', in: '1.2.3.4', want: null },
  { name: 'nothing', in: '', want: null },
];

test.each(rows)('parse: $name', ({ in: text, want }) => {
  expect(parseIpv6(text)).toBe(want);
});

test('bytes both ways', () => {
  const bytes = Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff);
  expect(ipv6FromBytes(bytes)).toBe('2001:db8::ff');
  expect(ipv6ToBytes('2001:db8::ff' as Ipv6Address)).toEqual(bytes);
  expect(() => ipv6FromBytes(new Uint8Array(4))).toThrow(RangeError);
});

test('written as ipaddr.js writes it, wherever the zeros are', () => {
  for (let zeros = 0; zeros < 256; zeros++) {
    const bytes = Uint8Array.from({ length: 16 }, (_, at) => (((zeros >> (at >> 1)) & 1) === 0 ? at + 1 : 0));
    expect(ipv6FromBytes(bytes)).toBe(new ipaddr.IPv6([...bytes]).toRFC5952String());
  }
});

test('link-local is fe80::/10', () => {
  expect(isLinkLocalIpv6('fe80::1' as Ipv6Address)).toBe(true);
  expect(isLinkLocalIpv6('febf::1' as Ipv6Address)).toBe(true);
  expect(isLinkLocalIpv6('fec0::1' as Ipv6Address)).toBe(false);
});
