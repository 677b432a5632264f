import { decodeStrict, encode, type Init, type Messages } from '@pp/proto';
import { pair } from './testing';
import { ForwardingView } from './view';

const port = (number: number): Messages['ForwardingPort'] => ({
  upstream: 'eth0',
  protocol: 6,
  port: number,
  address: '100.115.92.26',
  targetPort: 80,
});

const [VM, OTHER] = [pair('eth0', 'vmtap0'), pair('eth0', 'vmtap1')];

/** Of the run 7, at its fifth change: one pair and one port. */
const STATE = { instance: 7n, generation: 5n, pairs: [VM], ports: [port(80)] };
const NEXT = { instance: 7n, generation: 6n };

function changeOf(change: Init<Messages['ForwardingChange']>): Messages['ForwardingChange'] {
  const decoded = decodeStrict('ForwardingChange', encode('ForwardingChange', change));
  if (!decoded.ok) throw new Error(decoded.sentence);
  return decoded.value;
}

function stateOf(state: Init<Messages['ForwardingState']>): Messages['ForwardingState'] {
  const decoded = decodeStrict('ForwardingState', encode('ForwardingState', state));
  if (!decoded.ok) throw new Error(decoded.sentence);
  return decoded.value;
}

function known(): ForwardingView {
  const view = new ForwardingView();
  view.reset(stateOf(STATE));
  return view;
}

const NOTHING = { removed: [], added: [], isArcChanged: false };
const SAME = { pairs: [VM], arc: null, ports: [port(80)] };

test.each([
  { name: 'that was in the state', in: { ...NEXT, generation: 5n, added: [OTHER] }, want: 'old', now: SAME },
  { name: 'older than the state', in: { ...NEXT, generation: 2n, added: [OTHER] }, want: 'old', now: SAME },
  { name: 'after one that was lost', in: { ...NEXT, generation: 7n }, want: 'gap', now: SAME },
  { name: 'of another run', in: { ...NEXT, instance: 8n }, want: 'gap', now: SAME },
  { name: 'that changes nothing', in: NEXT, want: NOTHING, now: SAME },
  {
    name: 'of pairs',
    in: { ...NEXT, removed: [VM], added: [OTHER] },
    want: { ...NOTHING, removed: [VM], added: [OTHER] },
    now: { ...SAME, pairs: [OTHER] },
  },
  {
    name: 'of a pair’s flags',
    in: { ...NEXT, removed: [VM], added: [{ ...VM, ipv6: false }] },
    want: { ...NOTHING, removed: [VM], added: [{ ...VM, ipv6: false }] },
    now: { ...SAME, pairs: [{ ...VM, ipv6: false }] },
  },
  {
    name: 'a port that comes',
    in: { ...NEXT, addedPorts: [port(443)] },
    want: { ...NOTHING, arePortsChanged: true },
    now: { ...SAME, ports: [port(80), port(443)] },
  },
  {
    name: 'the last port goes',
    in: { ...NEXT, removedPorts: [port(80)] },
    want: { ...NOTHING, arePortsChanged: true },
    now: { pairs: [VM], arc: null },
  },
  {
    name: 'Android comes',
    in: { ...NEXT, arc: { cid: 5 } },
    want: { ...NOTHING, isArcChanged: true },
    now: { ...SAME, arc: { kind: 'vm', cid: 5 } },
  },
])('a change $name', ({ in: change, want, now }) => {
  const view = known();
  expect([view.apply(changeOf(change)), view.now]).toEqual([want, now]);
});

test('before the first state every change is a gap', () => {
  const view = new ForwardingView();
  expect(view.apply(changeOf({ instance: 0n, generation: 1n }))).toBe('gap');
  expect([view.instance, view.now]).toEqual([undefined, { pairs: [], arc: null }]);
});

test.each([
  { name: 'the same', in: STATE, want: NOTHING },
  { name: 'of another run', in: { ...STATE, instance: 8n, generation: 0n }, want: NOTHING },
  {
    name: 'with other pairs',
    in: { ...STATE, pairs: [OTHER] },
    want: { ...NOTHING, removed: [VM], added: [OTHER] },
  },
  {
    name: 'with a port more',
    in: { ...STATE, ports: [port(80), port(81)] },
    want: { ...NOTHING, arePortsChanged: true },
  },
  { name: 'without ports', in: { ...STATE, ports: [] }, want: { ...NOTHING, arePortsChanged: true } },
  { name: 'with Android', in: { ...STATE, arc: { pid: 4711 } }, want: { ...NOTHING, isArcChanged: true } },
])('a new state $name', ({ in: state, want }) => {
  const view = known();
  expect([view.reset(stateOf(state)), view.instance]).toEqual([want, state.instance]);
});
