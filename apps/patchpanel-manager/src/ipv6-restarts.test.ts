import { KernelError, millis } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { Uplink } from './domain/uplink';
import { Ipv6Restarts } from './ipv6-restarts';
import { namespace, uplink, vm, worldOf as world } from './testing/worlds';

const eth = uplink('eth0', 'ethernet', 100);
const wifi = uplink('wlan0', 'wifi', 600);
const guest = namespace(0, { kind: 'default' });
const pinned = namespace(1, { kind: 'uplink', ifname: 'wlan0' });
const withAddresses = (of: Uplink, ...addresses: string[]): Uplink => ({ ...of, addresses });

function rig(fault?: KernelError) {
  const [clock, log, restarted] = [new VirtualClock(), new MemoryLog(), [] as string[]];
  const guestIpv6 = {
    restart: (netns: string, ifname: string) => {
      restarted.push(`${netns} ${ifname}`);
      if (fault !== undefined) throw fault;
    },
  };
  return { clock, log, restarted, restarts: new Ipv6Restarts({ guestIpv6, clock, log }) };
}

const GUEST = 'connected_netns_0 veth0';
const PINNED = 'connected_netns_1 veth1';

test.each([
  { name: 'a namespace that is connected', from: world([eth], []), to: world([eth], [guest]), want: [GUEST] },
  { name: 'one without an upstream', from: world([], []), to: world([], [guest]), want: [] },
  {
    name: 'a VM asks for itself',
    from: world([eth], []),
    to: world([eth], [vm('termina', 'vmtap0')]),
    want: [],
  },
  {
    name: 'another default network',
    from: world([eth, wifi], [guest, pinned]),
    to: world([wifi], [guest, pinned]),
    want: [GUEST],
  },
  {
    name: 'its own uplink is back',
    from: world([eth], [guest, pinned]),
    to: world([eth, wifi], [guest, pinned]),
    want: [PINNED],
  },
  {
    name: 'a VPN has no IPv6 for it',
    from: world([], []),
    to: world([uplink('tun0', 'vpn', 1)], []),
    want: [],
  },
])('$name: $want', ({ from, to, want }) => {
  const { restarts, clock, restarted } = rig();
  restarts.arrived(from, to);
  clock.advance(millis(299));
  expect(restarted).toEqual([]);
  clock.advance(millis(1));
  expect(restarted).toEqual(want);
});

test.each([
  { name: 'another prefix', before: ['2001:db8:1::5/64'], after: ['2001:db8:2::5/64'], want: [GUEST] },
  {
    name: 'one more prefix',
    before: ['2001:db8:1::5/64'],
    after: ['2001:db8:1::5/64', 'fd00::5/64'],
    want: [],
  },
  {
    name: 'the first prefix, which is advertised',
    before: ['fe80::5/64'],
    after: ['2001:db8:1::5/64'],
    want: [],
  },
  { name: 'no prefix any more', before: ['2001:db8:1::5/64'], after: ['fe80::5/64'], want: [] },
  { name: 'another address', before: ['2001:db8:1::5/64'], after: ['2001:db8:1::6/64'], want: [] },
])('an uplink with $name: at once $want', ({ before, after, want }) => {
  const { restarts, restarted } = rig();
  restarts.arrived(
    world([withAddresses(eth, ...before)], [guest]),
    world([withAddresses(eth, ...after)], [guest]),
  );
  expect(restarted).toEqual(want);
});

const [A, B] = ['2001:db8:1::5/64', '2001:db8:2::5/64'];

test.each([
  { name: 'another network', then: B, want: [PINNED] },
  { name: 'the same network', then: A, want: [] },
])('an uplink without a prefix for a moment, then in $name: at once $want', ({ then, want }) => {
  const { restarts, restarted } = rig();
  const at = [A, 'fe80::5/64', then].map((address) => world([withAddresses(wifi, address)], [pinned]));
  for (const [from, to] of [at.slice(0, 2), at.slice(1)]) {
    if (from !== undefined && to !== undefined) restarts.arrived(from, to);
  }
  expect(restarted).toEqual(want);
});

test('changes that come together are one restart, and who has gone meanwhile gets none', () => {
  const { restarts, clock, restarted } = rig();
  const other = namespace(2, { kind: 'default' });
  restarts.arrived(world([eth], []), world([eth], [guest, other]));
  restarts.arrived(world([eth], [guest, other]), world([wifi], [guest, other]));
  restarts.arrived(world([wifi], [guest, other]), world([wifi], [guest]));
  clock.advance(millis(1000));
  expect(restarted).toEqual([GUEST]);
});

test('a namespace that cannot be entered is said, and no more', () => {
  const { restarts, clock, log } = rig(new KernelError('EPERM', 'netns'));
  restarts.arrived(world([eth], []), world([eth], [guest]));
  clock.advance(millis(1000));
  expect(log.lines.join()).toContain('warn ipv6.not-restarted netns=connected_netns_0');
});

test('a namespace that is being taken away is nothing to speak of', () => {
  const { restarts, clock, log } = rig(new KernelError('ENOENT', 'netns'));
  restarts.arrived(world([eth], []), world([eth], [guest]));
  clock.advance(millis(1000));
  expect(log.lines).toEqual([]);
});
