import { arc, namespace, uplink, vm, worldOf as world } from '../testing/worlds';
import { forwardingChange, forwardingOf } from './forwarding';
import type { Guest } from './guest';
import type { Uplink } from './uplink';
import { withGuest } from './world';

const eth = uplink('eth0', 'ethernet', 100);
const wifi = uplink('wlan0', 'wifi', 600);
const vpn = uplink('tun0', 'vpn', 1, false);

/** Pairs as "upstream-downstream:what", what of 6 (ipv6), m (multicast), b (broadcast). */
const text = (pairs: ReturnType<typeof forwardingOf>): string[] =>
  pairs.map(
    ({ upstream, downstream, ipv6, multicast, broadcast }) =>
      `${upstream}-${downstream}:${ipv6 ? '6' : ''}${multicast ? 'm' : ''}${broadcast ? 'b' : ''}`,
  );

const rows: readonly { name: string; uplinks: Uplink[]; guests: Guest[]; want: string[] }[] = [
  { name: 'no uplink, no pair', uplinks: [], guests: [vm('termina', 'vmtap0')], want: [] },
  {
    name: 'VMs follow the default network in all things',
    uplinks: [eth, wifi],
    guests: [vm('termina', 'vmtap0'), vm('plugin', 'vmtap1')],
    want: ['eth0-vmtap0:6mb', 'eth0-vmtap1:6mb'],
  },
  {
    name: 'what a connection manager passes over is followed by nobody, but by who is pinned to it',
    uplinks: [
      { ...eth, passedOver: true },
      { ...wifi, passedOver: true },
    ],
    guests: [
      vm('termina', 'vmtap0'),
      namespace(1, { kind: 'default' }),
      namespace(2, { kind: 'uplink', ifname: 'eth0' }),
    ],
    want: ['eth0-arc_ns2:6'],
  },
  {
    name: 'a link without multicast relays neighbour discovery only',
    uplinks: [uplink('wwan0', 'cellular', 1, false)],
    guests: [vm('termina', 'vmtap0')],
    want: ['wwan0-vmtap0:6'],
  },
  {
    name: 'a VPN as default network relays nothing to VMs, unless it has multicast; IPv6 never',
    uplinks: [vpn, eth],
    guests: [vm('termina', 'vmtap0')],
    want: [],
  },
  {
    name: 'a multicast VPN relays multicast',
    uplinks: [uplink('tun0', 'vpn', 1), eth],
    guests: [vm('plugin', 'vmtap0')],
    want: ['tun0-vmtap0:mb'],
  },
  {
    name: 'namespaces: pinned, as system past the VPN, as user into it; never multicast',
    uplinks: [vpn, eth, wifi],
    guests: [
      namespace(0, { kind: 'uplink', ifname: 'wlan0' }),
      namespace(1, { kind: 'default' }),
      namespace(2, { kind: 'user' }),
      namespace(3, { kind: 'uplink', ifname: 'gone0' }),
    ],
    want: ['wlan0-arc_ns0:6', 'eth0-arc_ns1:6'],
  },
  {
    name: 'ARC: each device with its own uplink, whatever the default is',
    uplinks: [eth, uplink('wlan0', 'wifi', null)],
    guests: [arc('eth0', 'wlan0')],
    want: ['eth0-arc_eth0:6mb', 'wlan0-arc_wlan0:6mb'],
  },
];

test.each(rows)('$name', ({ uplinks, guests, want }) => {
  expect(text(forwardingOf(world(uplinks, guests)))).toEqual(want);
});

test('a change tells what goes and what comes, and nothing else', () => {
  const before = world([eth, wifi], [vm('termina', 'vmtap0'), arc('eth0')]);
  const after = world([wifi], [vm('termina', 'vmtap0'), arc()]);
  const { removed, added } = forwardingChange(before, after);
  expect([text(removed), text(added)]).toEqual([
    ['eth0-vmtap0:6mb', 'eth0-arc_eth0:6mb'],
    ['wlan0-vmtap0:6mb'],
  ]);
  const joined = withGuest(before, vm('plugin', 'vmtap9'));
  expect(text(forwardingChange(before, joined).added)).toEqual(['eth0-vmtap9:6mb']);
});

test.each([
  { name: 'other addresses', eth: { ...eth, addresses: ['192.0.2.7/24'] }, want: [] },
  { name: 'another MTU and metric', eth: { ...uplink('eth0', 'ethernet', 50), mtu: 1400 }, want: [] },
  { name: 'no default route', eth: uplink('eth0', 'ethernet', null), want: ['eth0-vmtap0:6mb'] },
  { name: 'no multicast', eth: uplink('eth0', 'ethernet', 100, false), want: ['eth0-vmtap0:6mb'] },
])('guests are looked at only where their pairs may be others: $name', ({ eth: after, want }) => {
  let looks = 0;
  const watched = new Proxy(vm('termina', 'vmtap0'), {
    get(target, field): unknown {
      looks++;
      return Reflect.get(target, field);
    },
  });
  const before = world([eth], [watched]);
  looks = 0;
  expect(text(forwardingChange(before, { ...before, uplinks: [after] }).removed)).toEqual(want);
  expect(looks > 0).toBe(want.length > 0);
});
