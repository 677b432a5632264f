import { ipv6ToBytes, parseIpv6 } from '@pp/wire';
import { DesiredState } from '../desired';
import { describe as inWords } from '@pp/datapath';
import { MAX_NEIGHBORS } from '../domain/neighbors';
import { withoutGuests, type World } from '../domain/world';
import { arc, namespace, uplink, vm, worldOf } from '../testing/worlds';
import { neighborDetected, neighborLost, type NeighborEvent } from './neighbor-events';
import { uplinksChanged } from './uplinks-changed';

const addresses = ['192.168.77.2/24', 'fe80::2/64', 'fd00:1::2/64', '2001:db8:77::2/64'];
const eth0 = { ...uplink('eth0', 'ethernet', 100), addresses };
const eth1 = uplink('eth1', 'ethernet', 200);
const tun0 = uplink('tun0', 'vpn', 1);

const bytes = (text: string): Uint8Array => {
  const address = parseIpv6(text);
  return address === null ? new Uint8Array(4) : ipv6ToBytes(address);
};
const event = (address: string, ifname = 'vmtap0', upstream = 'eth0'): NeighborEvent => ({
  ifname,
  upstream,
  address: bytes(address),
});

const VM = vm('termina', 'vmtap0');
const WORLD = worldOf([eth0, eth1], [VM, namespace(3, { kind: 'uplink', ifname: 'eth1' }), arc('eth0')]);

const detected = (world: World, ...events: readonly NeighborEvent[]): World =>
  events.reduce((so, each) => {
    const decision = neighborDetected(so, each);
    if (!decision.ok) throw new Error(decision.sentence);
    return decision.value.world;
  }, world);
const lost = (world: World, each: NeighborEvent): World => {
  const decision = neighborLost(world, each);
  if (!decision.ok) throw new Error(decision.sentence);
  return decision.value.world;
};

/** Routes to neighbours that the kernel should have, as "ADDRESS dev IF src SOURCE". */
const routes = (world: World): string[] =>
  [...new DesiredState().of(world).parts.values()]
    .flatMap((part) => part.routes)
    .filter(({ dst }) => dst.endsWith('/128'))
    .map((route) => inWords({ do: 'route.add', route }).replace('route.add ', ''));
const via = (text: string): string => `${text} table 254 metric 1024`;

test.each([
  {
    name: 'an address in a prefix of the upstream: its address there is the source',
    in: event('2001:db8:77::9'),
    want: '2001:db8:77::9/128 dev vmtap0 src 2001:db8:77::2',
  },
  {
    name: 'another one: the first address that is no link-local one',
    in: event('2001:db8:1::9'),
    want: '2001:db8:1::9/128 dev vmtap0 src fd00:1::2',
  },
  { name: 'ULA', in: event('fd00:1::9'), want: 'fd00:1::9/128 dev vmtap0 src fd00:1::2' },
  {
    name: 'an upstream without IPv6 address',
    in: event('2001:db8:77::9', 'arc_ns3', 'eth1'),
    want: '2001:db8:77::9/128 dev arc_ns3',
  },
  {
    name: "ARC's bridge",
    in: event('2001:db8:77::9', 'arc_eth0'),
    want: '2001:db8:77::9/128 dev arc_eth0 src 2001:db8:77::2',
  },
])('$name', ({ in: each, want }) => {
  expect(routes(detected(WORLD, each))).toEqual([via(want)]);
});

test.each([
  { name: 'too short', in: event('no address'), want: 'address has 4 bytes: IPv6 has 16' },
  { name: 'link-local', in: event('fe80::9'), want: 'address fe80::9 is not one of 2000::/3 or fc00::/7' },
  { name: 'multicast', in: event('ff02::1'), want: 'address ff02::1 is not one of 2000::/3 or fc00::/7' },
  { name: 'loopback', in: event('::1'), want: 'address ::1 is not one of 2000::/3 or fc00::/7' },
])('no address for a host route: $name', ({ in: each, want }) => {
  const refusal = { ok: false, reason: 'InvalidArgument', sentence: want };
  expect(neighborDetected(WORLD, each)).toEqual(refusal);
  expect(neighborLost(WORLD, each)).toEqual(refusal);
});

test.each([
  {
    name: 'no link of a guest',
    world: WORLD,
    in: event('2001:db8::9', 'eth0'),
    want: '"eth0" is no guest\'s link that forwards anything now; ask GetForwarding',
  },
  {
    name: 'an upstream that it no longer has',
    world: WORLD,
    in: event('2001:db8::9', 'vmtap0', 'eth1'),
    want: 'vmtap0 goes with eth0 now, not with "eth1"; ask GetForwarding',
  },
  {
    name: 'a pair without neighbour discovery',
    world: worldOf([tun0, eth0], [VM]),
    in: event('2001:db8::9', 'vmtap0', 'tun0'),
    want: 'vmtap0 has no neighbour discovery now; ask GetForwarding',
  },
])('nobody to route to: $name', ({ world, in: each, want }) => {
  expect(neighborDetected(world, each)).toEqual({ ok: false, reason: 'NotFound', sentence: want });
});

test('told again, nothing changes', () => {
  const world = detected(WORLD, event('2001:db8:77::9'));
  expect(detected(world, event('2001:db8:77::9'))).toBe(world);
});

test('an address that another guest had has moved', () => {
  const world = detected(WORLD, event('2001:db8:77::9'), event('2001:db8:77::9', 'arc_eth0'));
  expect(routes(world)).toEqual([via('2001:db8:77::9/128 dev arc_eth0 src 2001:db8:77::2')]);
});

test('a guest has so many at most, and the oldest leaves', () => {
  const all = Array.from({ length: MAX_NEIGHBORS + 2 }, (_, n) => `2001:db8:77::1:${n.toString(16)}`);
  const world = detected(WORLD, event('2001:db8:77::9', 'arc_eth0'), ...all.map((each) => event(each)));
  const kept = routes(world).map((text) => text.split('/')[0]);
  expect(kept).toEqual([...all.slice(2).map((text) => text.replace(/:0$/, '')), '2001:db8:77::9']);
});

test('lost, it has no route any more; lost again is no fault', () => {
  const world = detected(WORLD, event('2001:db8:77::9'), event('2001:db8:77::a'));
  const left = lost(world, event('2001:db8:77::9'));
  expect(routes(left)).toEqual([via('2001:db8:77::a/128 dev vmtap0 src 2001:db8:77::2')]);
  expect(lost(left, event('2001:db8:77::9'))).toBe(left);
});

test('neighbours go with their guest', () => {
  const world = detected(WORLD, event('2001:db8:77::9'));
  expect(routes(withoutGuests(world, ['termina/5']))).toEqual([]);
});

test('neighbours go when their pair has another upstream, and stay through any other change of the uplinks', () => {
  const world = detected(WORLD, event('2001:db8:77::9'), event('2001:db8:77::a', 'arc_eth0'));
  const after = (...present: World['uplinks'][number][]): string[] => {
    const changed = uplinksChanged(
      world,
      { present, awaited: [], foreignTaps: [], foreignRule: null },
      (n) => new Uint8Array(n),
    );
    return changed.ok ? routes(changed.value.world) : [changed.sentence];
  };
  const arcRoute = (source: string): string => via(`2001:db8:77::a/128 dev arc_eth0 src ${source}`);
  expect(after(eth1, eth0)).toEqual([arcRoute('2001:db8:77::2')]);
  expect(after(eth1)).toEqual([]);
  expect(after({ ...eth0, addresses: ['2001:db8:99::2/64'] }, eth1)).toEqual([
    via('2001:db8:77::9/128 dev vmtap0 src 2001:db8:99::2'),
    arcRoute('2001:db8:99::2'),
  ]);
});
