import { decodeStrict, type MessageName, type Messages } from '@pp/proto';
import { withoutGuests, withPortRule, type World } from '../domain/world';
import { withGuest } from '../domain/world';
import { arc, uplink, vm, worldOf } from '../testing/worlds';
import { ForwardingFeed } from './forwarding-feed';

const decoded = <M extends MessageName>(name: M, bytes: Uint8Array): Messages[M] => {
  const checked = decodeStrict(name, bytes);
  if (!checked.ok) throw new Error(checked.sentence);
  return checked.value;
};
type Pairs = Messages['ForwardingState']['pairs'];
const text = (pairs: Pairs): string => pairs.map((pair) => `${pair.upstream}-${pair.downstream}`).join(' ');
const arcOf = (arcGuest: Messages['ForwardingArc'] | undefined): string =>
  arcGuest === undefined ? 'no arc' : `cid ${arcGuest.cid} pid ${arcGuest.pid}`;

function feedAndTold(): { feed: ForwardingFeed; told: string[]; state: (world: World) => string } {
  const told: string[] = [];
  const feed = new ForwardingFeed({
    instance: 9n,
    emit: (bytes) => {
      const change = decoded('ForwardingChange', bytes);
      expect(change.instance).toBe(9n);
      told.push(
        `${change.generation}: -[${text(change.removed)}] +[${text(change.added)}] ${arcOf(change.arc)}`,
      );
    },
  });
  const state = (world: World): string => {
    const { generation, pairs, arc: arcGuest } = decoded('ForwardingState', feed.state(world));
    return `${generation}: [${text(pairs)}] ${arcOf(arcGuest)}`;
  };
  return { feed, told, state };
}

const eth = uplink('eth0', 'ethernet', 100);
const wifi = uplink('wlan0', 'wifi', 600);
const EMPTY = worldOf([eth, wifi], []);
const VM_WORLD = worldOf([eth, wifi], [vm('termina', 'vmtap0')]);
const BOTH = withGuest(VM_WORLD, arc('eth0'));

test('what comes is told when it is there, what goes before', () => {
  const { feed, told, state } = feedAndTold();
  expect(state(EMPTY)).toBe('0: [] no arc');
  feed.leaving(EMPTY, VM_WORLD);
  expect(told).toEqual([]);
  feed.arrived(EMPTY, VM_WORLD);
  expect(told.splice(0)).toEqual(['1: -[] +[eth0-vmtap0] no arc']);
  expect(state(VM_WORLD)).toBe('1: [eth0-vmtap0] no arc');

  const left = withoutGuests(VM_WORLD, ['termina/5']);
  feed.leaving(VM_WORLD, left);
  expect(told.splice(0)).toEqual(['2: -[eth0-vmtap0] +[] no arc']);
  expect(state(VM_WORLD)).toBe('2: [] no arc'); // the kernel is still at work
  feed.arrived(VM_WORLD, left);
  expect([told, state(left)]).toEqual([[], '2: [] no arc']);
});

test('Android comes and goes, also without an uplink', () => {
  const { feed, told, state } = feedAndTold();
  feed.leaving(VM_WORLD, BOTH);
  feed.arrived(VM_WORLD, BOTH);
  expect(told.splice(0)).toEqual(['1: -[] +[eth0-arc_eth0] cid 3 pid 0']);
  feed.leaving(BOTH, VM_WORLD);
  expect(told.splice(0)).toEqual(['2: -[eth0-arc_eth0] +[] no arc']);
  expect(state(BOTH)).toBe('2: [eth0-vmtap0] no arc');
  feed.arrived(BOTH, VM_WORLD);
  const alone = worldOf([], [arc()]);
  feed.leaving(EMPTY, alone);
  feed.arrived(EMPTY, alone);
  expect(told.splice(0)).toEqual(['3: -[] +[] cid 3 pid 0']);
});

test('a new default network: pairs go, then others come; Android stays what it was', () => {
  const { feed, told } = feedAndTold();
  const after = { ...BOTH, uplinks: [wifi, eth] };
  feed.leaving(BOTH, after);
  feed.arrived(BOTH, after);
  expect(told).toEqual(['1: -[eth0-vmtap0] +[] cid 3 pid 0', '2: -[] +[wlan0-vmtap0] cid 3 pid 0']);
});

test('a change that is given up: what was said to go is there again', () => {
  const { feed, told, state } = feedAndTold();
  feed.leaving(BOTH, EMPTY);
  feed.arrived(EMPTY, BOTH);
  expect(told).toEqual([
    '1: -[eth0-vmtap0 eth0-arc_eth0] +[] no arc',
    '2: -[] +[eth0-vmtap0 eth0-arc_eth0] cid 3 pid 0',
  ]);
  expect(state(BOTH)).toBe('2: [eth0-vmtap0 eth0-arc_eth0] cid 3 pid 0');
});

test('a change of other things is not told', () => {
  const { feed, told } = feedAndTold();
  const after = { ...BOTH, uplinks: [{ ...eth, addresses: ['192.0.2.7/24'] }, wifi] };
  feed.leaving(BOTH, after);
  feed.arrived(BOTH, after);
  expect(told).toEqual([]);
});

test('ports that lead to guests are told as they come and go', () => {
  const told: string[] = [];
  const texts = (ports: Messages['ForwardingState']['ports']): string =>
    ports
      .map((each) => `${each.upstream} ${each.protocol} ${each.port} ${each.address}:${each.targetPort}`)
      .join(' ');
  const feed = new ForwardingFeed({
    instance: 9n,
    emit: (bytes) => {
      const { removedPorts, addedPorts } = decoded('ForwardingChange', bytes);
      told.push(`-[${texts(removedPorts)}] +[${texts(addedPorts)}]`);
    },
  });
  const state = (world: World): string => texts(decoded('ForwardingState', feed.state(world)).ports);
  const rule = {
    type: 'forwarding',
    protocol: 'tcp',
    ifname: 'eth0',
    address: null,
    port: 8080,
    to: { address: '100.64.0.2', port: 80 },
  } as const;
  const lock = { type: 'lockdown', protocol: 'tcp', port: 9 } as const;
  const ruled = withPortRule(withPortRule(EMPTY, { rule, owner: 0 }), { rule: lock, owner: 0 });
  feed.leaving(EMPTY, ruled);
  feed.arrived(EMPTY, ruled);
  expect([told.splice(0), state(ruled)]).toEqual([
    ['-[] +[eth0 6 8080 100.64.0.2:80]'],
    'eth0 6 8080 100.64.0.2:80',
  ]);
  feed.leaving(ruled, EMPTY);
  expect([told.splice(0), state(ruled)]).toEqual([['-[eth0 6 8080 100.64.0.2:80] +[]'], '']);
  feed.arrived(ruled, EMPTY);
  expect([told, state(EMPTY)]).toEqual([[], '']);

  // Another rule for the same port: of one address of the uplink.
  const twice = withPortRule(ruled, { rule: { ...rule, address: '192.0.2.1' }, owner: 0 });
  feed.leaving(twice, ruled);
  feed.arrived(twice, ruled);
  feed.arrived(ruled, twice);
  expect(told).toEqual([]);
});
