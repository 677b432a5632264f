import { routeText, ruleText } from '../text';
import { uplinksPart, type UplinkNetwork } from './uplinks';

const ETH0: UplinkNetwork = {
  ifname: 'eth0',
  ifindex: 2,
  kind: 'ethernet',
  addresses: ['192.0.2.10/24', '2001:db8:1::10/64', 'fe80::10/64'],
  defaults: [
    { family: 'ipv4', gateway: '192.0.2.1', metric: 100 },
    { family: 'ipv6', gateway: 'fe80::1', metric: 1024 },
  ],
  routes: [
    { family: 'ipv4', dst: '192.0.2.0/24', gateway: null, src: '192.0.2.10', metric: 100 },
    { family: 'ipv6', dst: '2001:db8:1::/64', gateway: null, src: null, metric: 256 },
  ],
};
const BARE: UplinkNetwork = { ...ETH0, addresses: [], defaults: [], routes: [] };
const WLAN0: UplinkNetwork = { ...BARE, ifname: 'wlan0', ifindex: 3, kind: 'wifi' };
const VPN: UplinkNetwork = { ...BARE, ifname: 'tun0', ifindex: 9, kind: 'vpn' };

const ENDS = (table: number): readonly string[] => [
  `blackhole 0.0.0.0/0 table ${table} metric 2147483647`,
  `blackhole ::/0 table ${table} metric 2147483647`,
];

const routes: readonly {
  readonly name: string;
  readonly in: UplinkNetwork;
  readonly want: readonly string[];
}[] = [
  { name: 'an uplink without network', in: BARE, want: [] },
  {
    name: 'what main holds, link routes first, IPv4 default at 65536',
    in: ETH0,
    want: [
      '192.0.2.0/24 dev eth0 src 192.0.2.10 table 1002 metric 100',
      '2001:db8:1::/64 dev eth0 table 1002 metric 256',
      '0.0.0.0/0 via 192.0.2.1 dev eth0 table 1002 metric 65536',
      '::/0 via fe80::1 dev eth0 table 1002 metric 1024',
    ],
  },
  {
    name: 'a gateway behind another: the link route comes first, whatever the order in main',
    in: {
      ...BARE,
      routes: [
        { family: 'ipv4', dst: '10.0.0.0/8', gateway: '198.51.100.1', src: null, metric: 0 },
        { family: 'ipv4', dst: '198.51.100.1/32', gateway: null, src: null, metric: 0 },
      ],
    },
    want: [
      '198.51.100.1/32 dev eth0 table 1002 metric 0',
      '10.0.0.0/8 via 198.51.100.1 dev eth0 table 1002 metric 0',
    ],
  },
  {
    name: 'a gateway that no prefix covers is on the link',
    in: {
      ...BARE,
      addresses: ['10.0.0.5/32'],
      defaults: [{ family: 'ipv4', gateway: '172.31.1.1', metric: 0 }],
    },
    want: ['0.0.0.0/0 via 172.31.1.1 dev eth0 table 1002 metric 65536 onlink'],
  },
  {
    name: 'a point-to-point link is its own gateway',
    in: { ...BARE, defaults: [{ family: 'ipv4', gateway: null, metric: 50 }] },
    want: ['0.0.0.0/0 dev eth0 table 1002 metric 65536'],
  },
  {
    name: 'several default routes keep their order',
    in: {
      ...BARE,
      addresses: ['192.0.2.10/24'],
      defaults: [
        { family: 'ipv4', gateway: '192.0.2.2', metric: 700 },
        { family: 'ipv4', gateway: '192.0.2.1', metric: 100 },
        { family: 'ipv6', gateway: 'fe80::1', metric: 1024 },
        { family: 'ipv6', gateway: 'fe80::2', metric: 1024 },
      ],
    },
    want: [
      '0.0.0.0/0 via 192.0.2.1 dev eth0 table 1002 metric 65536',
      '0.0.0.0/0 via 192.0.2.2 dev eth0 table 1002 metric 65537',
      '::/0 via fe80::1 dev eth0 table 1002 metric 1024',
      '::/0 via fe80::2 dev eth0 table 1002 metric 1025',
    ],
  },
  {
    name: 'two next hops of one destination and metric are one route: the kernel refuses a second',
    in: {
      ...BARE,
      routes: [
        { family: 'ipv6', dst: '2001:db8:5::/48', gateway: 'fe80::1', src: null, metric: 1024 },
        { family: 'ipv6', dst: '2001:db8:5::/48', gateway: 'fe80::2', src: null, metric: 1024 },
      ],
    },
    want: ['2001:db8:5::/48 via fe80::1 dev eth0 table 1002 metric 1024'],
  },
];

test.each(routes)('routes: $name', ({ in: uplink, want }) => {
  expect(uplinksPart([uplink]).routes.map(routeText)).toEqual([...want, ...ENDS(1002)]);
});

const rules = [
  { name: 'none without an uplink', in: [], want: [] },
  {
    name: 'by rank, both families',
    in: [WLAN0, ETH0],
    want: [
      'ipv4 1000: from all lookup 254 suppress_prefixlength 0',
      'ipv6 1000: from all lookup 254 suppress_prefixlength 0',
      'ipv4 1010: from all fwmark 0x03eb0000/0xffff0000 lookup 1003',
      'ipv6 1010: from all fwmark 0x03eb0000/0xffff0000 lookup 1003',
      'ipv4 1020: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'ipv6 1020: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
    ],
  },
  {
    name: 'a VPN before main',
    in: [VPN],
    want: [
      'ipv4 1000: from all lookup 254 suppress_prefixlength 0',
      'ipv6 1000: from all lookup 254 suppress_prefixlength 0',
      'ipv4 10: from all fwmark 0x03f10000/0xffff0000 lookup 1009',
      'ipv6 10: from all fwmark 0x03f10000/0xffff0000 lookup 1009',
    ],
  },
];

test.each(rules)('rules: $name', ({ in: uplinks, want }) => {
  expect(uplinksPart(uplinks).rules.map(ruleText)).toEqual(want);
});
