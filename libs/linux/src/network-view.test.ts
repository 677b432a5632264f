import type { Link, Route, Rule } from '@pp/netlink';
import { linkView } from '@pp/ports/testing';
import type { NetworkSnapshot } from './foreign-rules';
import { viewOf } from './network-view';

const link = (change: Partial<Link>): Link => ({
  ifindex: 2,
  ifname: 'eth0',
  kind: null,
  tunMode: null,
  type: 1,
  flags: 0x11043, // up, broadcast, running, multicast, lower-up
  mtu: 1500,
  mac: '02:00:00:00:00:01',
  group: 0,
  alias: '',
  master: null,
  link: null,
  peerNetnsId: null,
  parentDevice: 'virtio0',
  ...change,
});
const route = (change: Partial<Route>): Route => ({
  family: 'ipv4',
  kind: 'unicast',
  dst: '0.0.0.0/0',
  src: null,
  table: 254,
  metric: 100,
  protocol: 16,
  hops: [{ via: '192.0.2.1', ifindex: 2, onlink: false }],
  ...change,
});
const snapshot = (change: Partial<NetworkSnapshot>): NetworkSnapshot => ({
  links: [link({})],
  addresses: [],
  routes: [],
  rules: [],
  neighbors: [],
  isCrowded: false,
  ...change,
});

const ETH0 = linkView(2, 'eth0', { mac: '02:00:00:00:00:01', physical: true });

const links = [
  { name: 'a device', in: link({}), want: [ETH0] },
  {
    name: 'a veth has no device',
    in: link({ kind: 'veth', parentDevice: null }),
    want: [{ ...ETH0, kind: 'veth', physical: false }],
  },
  { name: 'down', in: link({ flags: 0x1002 }), want: [{ ...ETH0, up: false, running: false }] },
  { name: 'up without carrier', in: link({ flags: 0x1003 }), want: [{ ...ETH0, running: false }] },
  { name: 'carrier, but not operational', in: link({ flags: 0x11003 }), want: [{ ...ETH0, running: false }] },
  { name: 'a port of a bridge', in: link({ master: 7 }), want: [{ ...ETH0, enslaved: true }] },
  {
    name: 'loopback',
    in: link({ flags: 0x10049, type: 772 }),
    want: [{ ...ETH0, loopback: true, multicast: false, type: 772 }],
  },
  { name: 'ours by group', in: link({ group: 0x5050 }), want: [] },
  { name: 'ours, doomed', in: link({ group: 0x5051 }), want: [] },
  {
    name: "ours, but Android's bridge, by which its own VPN may be the host's",
    in: link({ ifname: 'arcbr0', kind: 'bridge', group: 0x5050, parentDevice: null }),
    want: [{ ...ETH0, ifname: 'arcbr0', kind: 'bridge', physical: false }],
  },
  { name: 'ours by alias', in: link({ alias: 'patchpanel:namespace/0' }), want: [] },
];

test.each(links)('link: $name', ({ in: one, want }) => {
  expect(viewOf(snapshot({ links: [one] })).links).toEqual(want);
});

const VIEW = { family: 'ipv4', dst: '0.0.0.0/0', via: '192.0.2.1', ifindex: 2, src: null, metric: 100 };
const routes = [
  { name: 'of table main', in: route({}), want: [VIEW] },
  { name: 'of another table', in: route({ table: 1002 }), want: [] },
  { name: 'that leads nowhere', in: route({ kind: 'blackhole', hops: [] }), want: [] },
  { name: 'local', in: route({ kind: 'local' }), want: [] },
  { name: 'by a link of ours', in: route({ hops: [{ via: null, ifindex: 9, onlink: false }] }), want: [] },
  {
    name: 'of several hops, one for each',
    in: route({
      hops: [
        { via: '192.0.2.1', ifindex: 2, onlink: false },
        { via: '192.0.2.2', ifindex: 2, onlink: false },
        { via: '192.0.2.3', ifindex: 9, onlink: false },
      ],
    }),
    want: [VIEW, { ...VIEW, via: '192.0.2.2' }],
  },
];

test.each(routes)('route: $name', ({ in: one, want }) => {
  expect(
    viewOf(snapshot({ links: [link({}), link({ ifindex: 9, group: 0x5050 })], routes: [one] })).routes,
  ).toEqual(want);
});

const IFA_F_PERMANENT = 0x80;
const IFA_F_TENTATIVE = 0x40;
test('addresses of what is shown, once they may be used', () => {
  const addresses = [
    { ifindex: 2, cidr: '192.0.2.10/24', scope: 0, flags: IFA_F_PERMANENT },
    { ifindex: 2, cidr: 'fe80::1/64', scope: 253, flags: IFA_F_PERMANENT },
    { ifindex: 2, cidr: '2001:db8::1/64', scope: 0, flags: IFA_F_TENTATIVE },
    { ifindex: 9, cidr: '100.115.92.129/30', scope: 0, flags: IFA_F_PERMANENT },
  ];
  expect(viewOf(snapshot({ addresses })).addresses).toEqual([
    { ifindex: 2, cidr: '192.0.2.10/24' },
    { ifindex: 2, cidr: 'fe80::1/64' },
  ]);
});

const rule = (change: Partial<Rule>): Rule => ({
  family: 'ipv4',
  priority: 5210,
  fwmark: { value: 0x80000, mask: 0xff0000 },
  iif: null,
  oif: null,
  from: null,
  to: null,
  table: 254,
  suppressPrefixLength: null,
  protocol: 3,
  ...change,
});

test('rules of others that look at marks', () => {
  const rules = [rule({}), rule({ protocol: 80 }), rule({ fwmark: null }), rule({ family: 'ipv6' })];
  const want = { family: 'ipv4', priority: 5210, value: 0x80000, mask: 0xff0000 };
  expect(viewOf(snapshot({ rules })).markRules).toEqual([want, { ...want, family: 'ipv6' }]);
});

test('of a crowded table it is said', () => {
  expect(viewOf(snapshot({}))).not.toHaveProperty('routesAbove');
  expect(viewOf(snapshot({ isCrowded: true }))).toMatchObject({ routesAbove: 4096 });
});
