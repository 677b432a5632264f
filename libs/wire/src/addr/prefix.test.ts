import {
  cidrContains,
  cidrOverlaps,
  formatCidr,
  hostCidr,
  isNetwork,
  networkOf,
  parseCidr,
  type Cidr,
} from './prefix';
import type { Ipv4Address } from './ipv4';
import type { Ipv6Address } from './ipv6';

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text);
  if (parsed === null) throw new Error(`bad test prefix ${text}`);
  return parsed;
};

const parsed = [
  { name: 'IPv4', in: '100.115.92.129/30', want: '100.115.92.129/30' },
  { name: 'IPv6, made canonical', in: 'FD00:0::1/64', want: 'fd00::1/64' },
  { name: 'all', in: '0.0.0.0/0', want: '0.0.0.0/0' },
  { name: 'one address', in: '::1/128', want: '::1/128' },
  { name: 'no length', in: '10.0.0.0', want: null },
  { name: 'an empty length', in: '10.0.0.0/', want: null },
  { name: 'a leading zero', in: '10.0.0.0/08', want: null },
  { name: 'a netmask', in: '10.0.0.0/255.0.0.0', want: null },
  { name: 'too long for IPv4', in: '10.0.0.0/33', want: null },
  { name: 'too long for IPv6', in: 'fd00::/129', want: null },
  { name: 'negative', in: '10.0.0.0/-1', want: null },
  { name: 'two lengths', in: '10.0.0.0/8/8', want: null },
];

test.each(parsed)('parse: $name', ({ in: text, want }) => {
  const value = parseCidr(text);
  expect(value === null ? null : formatCidr(value)).toBe(want);
});

const networks = [
  { in: '100.115.92.131/30', want: '100.115.92.128/30' },
  { in: '100.115.92.131/0', want: '0.0.0.0/0' },
  { in: '100.115.92.131/32', want: '100.115.92.131/32' },
  { in: '10.255.255.255/9', want: '10.128.0.0/9' },
  { in: '2001:db8:ffff:ffff::1/60', want: '2001:db8:ffff:fff0::/60' },
];

test.each(networks)('network of $in', ({ in: text, want }) => {
  expect(formatCidr(networkOf(cidr(text)))).toBe(want);
  expect(isNetwork(cidr(want))).toBe(true);
});

test('host bits that are set make no network', () => {
  expect(isNetwork(cidr('10.0.0.1/8'))).toBe(false);
});

const relations = [
  {
    name: 'a smaller one inside',
    a: '100.115.92.0/23',
    b: '100.115.93.255/32',
    contains: true,
    overlaps: true,
  },
  { name: 'the same', a: '10.0.0.0/8', b: '10.0.0.0/8', contains: true, overlaps: true },
  { name: 'a larger one', a: '10.0.0.0/16', b: '10.0.0.0/8', contains: false, overlaps: true },
  { name: 'the neighbour', a: '100.115.92.0/23', b: '100.115.94.0/24', contains: false, overlaps: false },
  { name: 'all, and the other family', a: '0.0.0.0/0', b: '::/0', contains: false, overlaps: false },
  {
    name: 'IPv6 at an odd length',
    a: '2001:db8::/33',
    b: '2001:db8:7fff::1/128',
    contains: true,
    overlaps: true,
  },
  {
    name: 'IPv6 beyond an odd length',
    a: '2001:db8::/33',
    b: '2001:db8:8000::/33',
    contains: false,
    overlaps: false,
  },
];

test.each(relations)('contains and overlaps: $name', ({ a, b, contains, overlaps }) => {
  expect(cidrContains(cidr(a), cidr(b))).toBe(contains);
  expect([cidrOverlaps(cidr(a), cidr(b)), cidrOverlaps(cidr(b), cidr(a))]).toEqual([overlaps, overlaps]);
});

test('one address as a prefix', () => {
  expect(formatCidr(hostCidr('10.0.0.1' as Ipv4Address))).toBe('10.0.0.1/32');
  expect(formatCidr(hostCidr('fd00::1' as Ipv6Address))).toBe('fd00::1/128');
});
