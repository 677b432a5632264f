import { SharedMap } from '@pp/base';
import { applyMost } from './apply';
import { describe as describeOp } from './describe';
import type { Desired, Part, Tap } from './desired';
import type { Observed, ObservedLink } from './kernel';
import { namespacePart } from './parts/namespace';
import { repair } from './repair';
import { FakeKernel } from './testing/fake-kernel';

const NAMESPACE: Part = namespacePart({
  number: 0,
  subnet: '100.115.92.128/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: null,
  egress: { kind: 'default' },
  source: 'SYSTEM',
  allowUserTraffic: false,
  forceForwarding: false,
});
const ROUTE = {
  kind: 'blackhole',
  dst: '0.0.0.0/0',
  via: null,
  dev: null,
  src: null,
  table: 1002,
  metric: 1,
  onlink: false,
} as const;
const RULE = {
  family: 'ipv4',
  priority: 1000,
  fwmark: null,
  iif: null,
  oif: null,
  from: null,
  to: null,
  table: 254,
  suppressPrefixLength: 0,
} as const;
const NO_PART: Part = {
  netns: [],
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  elements: [],
  linkSysctls: [],
};
const UPLINKS: Part = { ...NO_PART, routes: [ROUTE], rules: [RULE] };

const WANT: Desired = {
  shape: { uplinks: [], guestPrefixes: ['100.115.92.0/23', '10.80.0.0/16'] },
  sysctls: new Map([['net.ipv4.ip_forward', '1']]),
  parts: SharedMap.of([
    ['uplinks', UPLINKS],
    ['namespace/0', NAMESPACE],
  ]),
};

const LINK: ObservedLink = {
  ifname: 'arc_ns0',
  ifindex: 7,
  kind: 'veth',
  alias: 'patchpanel:namespace/0',
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  up: true,
  multicast: false,
  master: null,
};

/** A kernel in which all is as wanted. */
const RIGHT: Observed = {
  links: [LINK],
  addresses: NAMESPACE.addresses,
  routes: [ROUTE],
  rules: [RULE],
  table: true,
  chains: [],
  netns: ['connected_netns_0'],
  sysctls: new Map([['net.ipv4.ip_forward', '1']]),
};

const LOAD = 'nft.load table inet patchpanel';
/** Written each time: they are not observed. */
const LINK_SYSCTLS = [
  'sysctl.set net.ipv6.conf.arc_ns0.accept_ra = 0',
  'sysctl.set net.ipv6.conf.arc_ns0.accept_redirects = 0',
  'sysctl.set net.ipv4.conf.arc_ns0.accept_redirects = 0',
  'sysctl.set net.ipv4.conf.arc_ns0.send_redirects = 0',
  'sysctl.set net.ipv4.conf.arc_ns0.accept_local = 1',
  'sysctl.set net.ipv4.conf.arc_ns0.arp_filter = 1',
];
const ADDRESS = 'address.add 100.115.92.129/30 dev arc_ns0';
const ALLOW = 'nft.elements add guests { "arc_ns0" } and 6 more'; // a gateway's address is no link's: the load has it

const rows: readonly {
  readonly name: string;
  readonly seen: Partial<Observed>;
  readonly want: readonly string[];
}[] = [
  { name: 'all is right', seen: {}, want: [LOAD, ...LINK_SYSCTLS] },
  { name: 'the table is gone', seen: { table: false }, want: [LOAD, ...LINK_SYSCTLS] },
  {
    name: 'a link is gone: it is allowed last, not by the load',
    seen: { links: [], addresses: [] },
    want: [LOAD, 'link.add veth arc_ns0', ...LINK_SYSCTLS, ADDRESS, ALLOW],
  },
  {
    name: 'another link of ours has the name',
    seen: { links: [{ ...LINK, alias: 'patchpanel:namespace/9' }] },
    want: [LOAD, 'link.del arc_ns0', 'link.add veth arc_ns0', ...LINK_SYSCTLS, ADDRESS, ALLOW],
  },
  {
    name: 'another kind of link',
    seen: { links: [{ ...LINK, kind: 'bridge' }] },
    want: [LOAD, 'link.del arc_ns0', 'link.add veth arc_ns0', ...LINK_SYSCTLS, ADDRESS, ALLOW],
  },
  {
    name: 'attributes were changed',
    seen: { links: [{ ...LINK, mac: '02:00:00:00:00:99', multicast: true }] },
    want: [LOAD, 'link.set arc_ns0 address 02:00:00:00:00:01 multicast off', ...LINK_SYSCTLS],
  },
  {
    name: 'an MTU that nobody asked for stays',
    seen: { links: [{ ...LINK, mtu: 1400 }] },
    want: [LOAD, ...LINK_SYSCTLS],
  },
  {
    name: 'a link was set down',
    seen: { links: [{ ...LINK, up: false }] },
    want: [LOAD, 'link.set arc_ns0 address 02:00:00:00:00:01 multicast off', ...LINK_SYSCTLS],
  },
  { name: 'an address is gone', seen: { addresses: [] }, want: [LOAD, ...LINK_SYSCTLS, ADDRESS] },
  {
    name: 'an address among those of guests goes; others, of either family, are not ours and stay',
    seen: {
      addresses: [
        ...NAMESPACE.addresses,
        { ifname: 'arc_ns0', cidr: '100.115.93.1/30' },
        { ifname: 'arc_ns0', cidr: '10.80.0.1/30' },
        { ifname: 'arc_ns0', cidr: '10.0.0.1/8' },
        { ifname: 'arc_ns0', cidr: '192.0.2.7/32' },
        { ifname: 'arc_ns0', cidr: 'fe80::1/64' },
        { ifname: 'arc_ns0', cidr: 'fd00:115:9::1/64' },
      ],
    },
    want: [
      LOAD,
      'address.del 10.80.0.1/30 dev arc_ns0',
      'address.del 100.115.93.1/30 dev arc_ns0',
      ...LINK_SYSCTLS,
    ],
  },
  {
    name: 'a link that nobody wants goes, with all that is on it',
    seen: {
      links: [LINK, { ...LINK, ifname: 'arc_ns7', alias: 'patchpanel:namespace/7' }],
      addresses: [...NAMESPACE.addresses, { ifname: 'arc_ns7', cidr: '10.0.0.1/8' }],
    },
    want: [LOAD, 'link.del arc_ns7', ...LINK_SYSCTLS],
  },
  {
    name: 'routes and rules that nobody wants go, missing ones come',
    seen: { routes: [{ ...ROUTE, metric: 2 }], rules: [{ ...RULE, priority: 7 }] },
    want: [
      LOAD,
      'rule.del ipv4 7: from all lookup 254 suppress_prefixlength 0',
      'route.del blackhole 0.0.0.0/0 table 1002 metric 2',
      ...LINK_SYSCTLS,
      'route.add blackhole 0.0.0.0/0 table 1002 metric 1',
      'rule.add ipv4 1000: from all lookup 254 suppress_prefixlength 0',
    ],
  },
  {
    name: 'a namespace name that nobody wants goes',
    seen: { netns: ['connected_netns_0', 'connected_netns_5'] },
    want: [LOAD, 'netns.del connected_netns_5', ...LINK_SYSCTLS],
  },
  {
    name: 'a namespace is gone: the veth into it is another one',
    seen: { netns: [] },
    want: [
      LOAD,
      'link.del arc_ns0',
      'netns.add connected_netns_0',
      'link.add veth arc_ns0',
      ...LINK_SYSCTLS,
      ADDRESS,
      ALLOW,
    ],
  },
  {
    name: 'a sysctl was changed back, one that is wanted no more still holds our value, one of others does not',
    seen: {
      sysctls: new Map([
        ['net.ipv4.ip_forward', '0'],
        ['net.ipv6.conf.eth0.accept_ra', '2'],
        ['net.ipv6.conf.eth1.accept_ra', '0'],
      ]),
    },
    want: [
      LOAD,
      'sysctl.set net.ipv6.conf.eth0.accept_ra = 1 if it is 2',
      'sysctl.set net.ipv4.ip_forward = 1',
      ...LINK_SYSCTLS,
    ],
  },
  {
    name: 'a sysctl that this kernel lacks is left alone',
    seen: { sysctls: new Map() },
    want: [LOAD, ...LINK_SYSCTLS],
  },
];

const ORIGINALS = new Map([
  ['net.ipv4.ip_forward', '0'],
  ['net.ipv6.conf.eth0.accept_ra', '1'],
  ['net.ipv6.conf.eth1.accept_ra', '1'],
]);
const WRITTEN = new Map([
  ['net.ipv6.conf.eth0.accept_ra', '2'],
  ['net.ipv6.conf.eth1.accept_ra', '2'],
]);

test.each(rows)('$name', ({ seen, want }) => {
  const ops = repair({ observed: { ...RIGHT, ...seen }, want: WANT, originals: ORIGINALS, written: WRITTEN });
  expect(ops.map(describeOp)).toEqual(want);
});

const TAP: Tap = {
  kind: 'tap',
  ifname: 'vmtap0',
  alias: 'patchpanel:termina/7',
  mac: '02:00:00:00:00:05',
  owner: 0,
  mtu: null,
  multicast: true,
  master: null,
};

test.each<{ name: string; link?: Partial<Tap>; seen?: Partial<ObservedLink>; want: readonly string[] }>([
  { name: 'right: the kernel calls it "tun"', want: [] },
  {
    name: 'another kind of link has its name',
    seen: { kind: 'veth' },
    want: ['link.del vmtap0', 'link.add tap vmtap0'],
  },
  {
    name: 'another MTU than asked for',
    link: { mtu: 1400 },
    want: ['link.set vmtap0 address 02:00:00:00:00:05 mtu 1400 multicast on'],
  },
  {
    name: 'taken from its bridge',
    link: { master: 'arcbr0' },
    want: ['link.set vmtap0 address 02:00:00:00:00:05 multicast on master arcbr0'],
  },
])('a TAP: $name', ({ link, seen, want }) => {
  const parts = SharedMap.of([['termina/7', { ...NO_PART, links: [{ ...TAP, ...link }] }]]);
  const { ifname, alias, mac, multicast } = TAP;
  const links = [{ ...LINK, ifname, alias, mac: mac ?? '', multicast, kind: 'tun', ...seen }];
  const observed = { ...RIGHT, links, addresses: [], routes: [], rules: [], netns: [] };
  const ops = repair({ observed, want: { ...WANT, parts }, originals: ORIGINALS, written: new Map() });
  expect(ops.map(describeOp)).toEqual([LOAD, ...want]);
});

test('chains of uplinks that are gone are dropped by the load', () => {
  const observed = { ...RIGHT, chains: ['guard', 'egress_to_eth0', 'pin_to_eth0'] };
  const [load] = repair({ observed, want: WANT, originals: ORIGINALS, written: WRITTEN });
  const text = load?.do === 'nft.load' ? (load.text ?? '') : '';
  expect(text.split('\n').filter((line) => line.startsWith('delete'))).toEqual([
    'delete chain inet patchpanel egress_to_eth0',
    'delete chain inet patchpanel pin_to_eth0',
  ]);
});

test('where no table is wanted, it goes last', () => {
  const want = { shape: null, sysctls: new Map<string, string>(), parts: SharedMap.of<string, Part>() };
  const ops = repair({ observed: RIGHT, want, originals: ORIGINALS, written: new Map() });
  expect(ops.map(describeOp)).toEqual([
    'rule.del ipv4 1000: from all lookup 254 suppress_prefixlength 0',
    'route.del blackhole 0.0.0.0/0 table 1002 metric 1',
    'link.del arc_ns0',
    'netns.del connected_netns_0',
    'nft.load nothing',
  ]);
});

test('after a repair there is nothing to repair but what cannot be seen', async () => {
  const kernel = new FakeKernel({ sysctls: new Map([['net.ipv4.ip_forward', '0']]) });
  const ask = { netns: ['connected_netns_0'], sysctls: ['net.ipv4.ip_forward'] };
  const steps = async (): Promise<ReturnType<typeof repair>> =>
    repair({ observed: await kernel.observe(ask), want: WANT, originals: ORIGINALS, written: WRITTEN });
  await applyMost(kernel, await steps());
  const before = kernel.dump();
  const ops = await steps();
  expect(ops.map(describeOp)).toEqual([LOAD, ...LINK_SYSCTLS]);
  await applyMost(kernel, ops);
  expect(kernel.dump()).toBe(before);
});
