import type { ForwardingPair } from '@pp/forwarding';
import type { DesiredGroup } from '../groups/desired-groups';
import { groupsOf, ManagerGroups } from './manager-groups';

const pair = (upstream: string, downstream: string, ipv6 = true, multicast = true): ForwardingPair => ({
  upstream,
  downstream,
  ipv6,
  multicast,
  broadcast: multicast,
});

test.each([
  { name: 'nothing', in: [], want: [] },
  {
    name: 'guests of one upstream are one group',
    in: [pair('eth0', 'arc_ns0'), pair('eth0', 'vmtap0')],
    want: [{ name: 'eth0', upstream: 'eth0', downstreams: ['arc_ns0', 'vmtap0'], leavesDiscovery: true }],
  },
  {
    name: 'each upstream has its own',
    in: [pair('eth0', 'arc_ns0', true, false), pair('wlan0', 'vmtap0')],
    want: [
      { name: 'eth0', upstream: 'eth0', downstreams: ['arc_ns0'], leavesDiscovery: false },
      { name: 'wlan0', upstream: 'wlan0', downstreams: ['vmtap0'], leavesDiscovery: true },
    ],
  },
  { name: 'a pair without IPv6 is none', in: [pair('eth0', 'vmtap0', false)], want: [] },
])('$name', ({ in: pairs, want }) => {
  expect(groupsOf(pairs)).toEqual(want);
});

test('what was told before somebody listens is told then', () => {
  const groups = new ManagerGroups();
  groups.tell({ pairs: [pair('eth0', 'vmtap0')] });
  const heard: (readonly DesiredGroup[])[] = [];
  groups.start((told) => heard.push(told));
  groups.tell({ pairs: [] });
  expect(heard).toEqual([groupsOf([pair('eth0', 'vmtap0')]), []]);
});

test('a manager that has not told anything is no manager without guests', () => {
  const groups = new ManagerGroups();
  let heard = 0;
  groups.start(() => heard++);
  expect(heard).toBe(0);
});
