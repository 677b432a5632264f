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

test("a VPN's table leaves guests' addresses to main: what is led to one after it was tagged still gets there", () => {
  const inTable = (kind: UplinkNetwork['kind']): readonly string[] =>
    uplinksPart([{ ...BARE, kind }], null, ['100.115.92.0/23']).routes.map(routeText);
  expect(inTable('vpn')).toEqual(['throw 100.115.92.0/23 table 1002 metric 2147483647', ...ENDS(1002)]);
  expect(inTable('ethernet')).toEqual(ENDS(1002));
});

/** Main's default routes, halves and parts of it, are suppressed. */
function bothFamilies(lines: readonly string[]): readonly string[] {
  return [
    ...lines.map((line) => line.replace('IP', 'ipv4').replace(/N$/, '1')),
    ...lines.map((line) => line.replace('IP', 'ipv6').replace(/N$/, '7')),
  ];
}

const rules = [
  { name: 'none without an uplink', in: [], want: [] },
  {
    name: 'of several, whatever their rank: tags exclude each other; who bypasses a VPN takes the best',
    in: [WLAN0, { ...ETH0, addresses: [] }],
    want: bothFamilies([
      'IP 1010: from all fwmark 0x03eb0000/0xffff0000 lookup 1003',
      'IP 1010: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'IP 1000: from all lookup 254 suppress_prefixlength N',
      'IP 32763: from all fwmark 0x00004000/0x0000c000 lookup 1002',
    ]),
  },
  {
    name: 'none leads who bypasses a VPN where a connection manager passes all over; what is pinned has its way',
    in: [
      { ...VPN, defaults: ETH0.defaults, passedOver: true as const },
      { ...ETH0, passedOver: true as const },
    ],
    want: bothFamilies([
      'IP 900: from all fwmark 0x03f10000/0xffff0000 lookup 1009',
      'IP 1010: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'IP 1000: from all lookup 254 suppress_prefixlength N',
    ]),
  },
  {
    name: 'a VPN that holds the best default: its tag before main, and who wants it',
    in: [{ ...VPN, defaults: ETH0.defaults }, ETH0],
    want: bothFamilies([
      'IP 900: from all fwmark 0x03f10000/0xffff0000 lookup 1009',
      'IP 1010: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'IP 1000: from all lookup 254 suppress_prefixlength N',
      'IP 32763: from all fwmark 0x00004000/0x0000c000 lookup 1002',
      'IP 32764: from all fwmark 0x00008000/0x0000c000 lookup 1009',
    ]),
  },
  {
    name: 'a VPN that does not hold it is an uplink like others',
    in: [ETH0, VPN],
    want: bothFamilies([
      'IP 1010: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'IP 900: from all fwmark 0x03f10000/0xffff0000 lookup 1009',
      'IP 1000: from all lookup 254 suppress_prefixlength N',
      'IP 32763: from all fwmark 0x00004000/0x0000c000 lookup 1002',
    ]),
  },
];

test.each(rules)('rules: $name', ({ in: uplinks, want }) => {
  expect(uplinksPart(uplinks).rules.map(ruleText)).toEqual(want);
});

const foreign = [
  { name: 'none', in: null, want: [1010, 1000, 32763] },
  { name: 'one behind all of ours', in: 32764, want: [1010, 1000, 32763] },
  { name: 'one that landed right before ours', in: 899, want: [896, 895, 897] },
  { name: 'one so low that there is no room', in: 3, want: [3, 2, 4] },
];

test.each(foreign)(
  'priorities, with a rule of others that every packet meets: $name',
  ({ in: before, want }) => {
    const { rules } = uplinksPart([ETH0], before);
    expect(rules.filter(({ family }) => family === 'ipv6').map(({ priority }) => priority)).toEqual(want);
  },
);
