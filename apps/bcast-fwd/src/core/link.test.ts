import { ipv4FromNumber, ipv4ToNumber, parseIpv4 } from '@pp/wire';
import {
  exitDestinations,
  isBroadcastOf,
  isHostAddress,
  isOnLink,
  linkAddress,
  type RelayLink,
} from './link';

const ip = (text: string): number => {
  const address = parseIpv4(text);
  if (address === null) throw new Error(text);
  return ipv4ToNumber(address);
};

const link = (cidrs: readonly string[], targets: readonly string[] = []): RelayLink => ({
  ifindex: 1,
  ifname: 'eth0',
  role: 'lan',
  mac: null,
  mtu: 1500,
  addresses: cidrs.map((cidr) => {
    const [address = '', length = ''] = cidr.split('/');
    return linkAddress(ip(address), Number(length));
  }),
  targets: targets.map(ip),
});

const LAN = link(['192.168.77.2/24', '10.0.0.2/30']);
const CHOSEN: RelayLink = { ...LAN, addresses: [linkAddress(ip('10.1.2.3'), 24, ip('10.1.255.255'))] };
const POINT = link(['10.9.0.1/32', '10.9.0.3/31']);
const BARE = link([]);

test.each([
  { name: 'limited', on: BARE, address: '255.255.255.255', want: true },
  { name: 'directed', on: LAN, address: '192.168.77.255', want: true },
  { name: 'directed, second subnet', on: LAN, address: '10.0.0.3', want: true },
  { name: 'chosen', on: CHOSEN, address: '10.1.255.255', want: true },
  { name: 'of the prefix, another is chosen', on: CHOSEN, address: '10.1.2.255', want: true },
  { name: 'of another subnet', on: LAN, address: '192.168.78.255', want: false },
  { name: 'no broadcast in 31 bits', on: POINT, address: '10.9.0.3', want: false },
  { name: 'everything in 0 bits', on: link(['1.2.3.4/0']), address: '255.255.255.255', want: true },
])('broadcast: $name: $want', ({ on, address, want }) => {
  expect(isBroadcastOf(on, ip(address))).toBe(want);
});

test.each([
  { name: 'limited stays limited', on: LAN, to: '255.255.255.255', want: ['255.255.255.255'] },
  { name: 'directed becomes the way out’s own', on: LAN, to: '172.16.0.255', want: ['192.168.77.255'] },
  { name: 'directed becomes the chosen one', on: CHOSEN, to: '172.16.0.255', want: ['10.1.255.255'] },
  { name: 'directed where there is none', on: POINT, to: '172.16.0.255', want: ['255.255.255.255'] },
  { name: 'directed without an address', on: BARE, to: '172.16.0.255', want: ['255.255.255.255'] },
  {
    name: 'targets',
    on: link([], ['10.9.0.2', '10.9.0.4']),
    to: '255.255.255.255',
    want: ['10.9.0.2', '10.9.0.4'],
  },
])('destination: $name', ({ on, to, want }) => {
  expect(exitDestinations(on, ip(to)).map(ipv4FromNumber)).toEqual(want);
});

test.each([
  { name: 'in the subnet', on: LAN, source: '192.168.77.20', want: true },
  { name: 'in the second subnet', on: LAN, source: '10.0.0.1', want: true },
  { name: 'elsewhere', on: LAN, source: '192.168.78.20', want: false },
  { name: 'high numbers', on: link(['223.255.255.2/24']), source: '223.255.255.9', want: true },
  { name: 'point to point', on: POINT, source: '192.168.78.20', want: true },
  { name: 'no address', on: BARE, source: '192.168.78.20', want: true },
])('on the link: $name: $want', ({ on, source, want }) => {
  expect(isOnLink(on, ip(source))).toBe(want);
});

test.each([
  { source: '192.168.77.20', want: true },
  { source: '0.0.0.0', want: false },
  { source: '127.0.0.1', want: false },
  { source: '224.0.0.1', want: false },
  { source: '255.255.255.255', want: false },
  { source: '192.168.77.255', want: false },
  { source: '192.168.77.0', want: false },
])('$source is a host: $want', ({ source, want }) => {
  expect(isHostAddress(LAN, ip(source))).toBe(want);
});
