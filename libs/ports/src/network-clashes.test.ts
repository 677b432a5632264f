import { poolsWith, REFERENCE_PREFIX } from '@pp/datapath';
import { clashesOf } from './network-clashes';
import type { LinkView, MarkRuleView, NetworkView } from './network-news';
import { linkView } from './testing/link-view';

const checked = poolsWith([{ kind: 'namespace', cidr: '10.80.0.0/16' }]);
if (!checked.ok) throw new Error(checked.sentence);
const POOLS = checked.value;

const link = (ifindex: number, ifname: string): LinkView => linkView(ifindex, ifname, { physical: true });
const view = (more: Partial<NetworkView>): NetworkView => ({
  links: [link(2, 'eth0')],
  addresses: [],
  routes: [],
  markRules: [],
  ...more,
});
const address = (cidr: string): Partial<NetworkView> => ({ addresses: [{ ifindex: 2, cidr }] });
const route = (dst: string): NetworkView['routes'][number] => ({
  family: 'ipv4',
  dst,
  via: null,
  ifindex: 2,
  src: null,
  metric: 0,
});
const rule = (value: number, mask: number, priority = 100): MarkRuleView => ({
  family: 'ipv4',
  priority,
  value,
  mask,
});

const ASIDE = 'guests and hosts there may not reach each other; give that network other addresses';
const SHARES = "of which 0xffffff01 are ours: one may lead the other's packets astray";

const ROWS: readonly { name: string; in: Partial<NetworkView>; want: readonly string[] }[] = [
  { name: 'a usual LAN', in: { ...address('192.168.1.2/24'), routes: [route('0.0.0.0/0')] }, want: [] },
  { name: 'IPv6', in: address('2001:db8::2/64'), want: [] },
  { name: 'a carrier that numbers around guests', in: address('100.64.0.9/10'), want: [] },
  {
    name: 'an address among guests, with its route',
    in: { ...address('100.115.92.5/24'), routes: [route('100.115.92.0/24')] },
    want: [`the address 100.115.92.5/24 of eth0 lies in guests' ${REFERENCE_PREFIX}: ${ASIDE}`],
  },
  {
    name: 'an address among guests on a wider network',
    in: address('100.115.93.5/10'),
    want: [`the address 100.115.93.5/10 of eth0 lies in guests' ${REFERENCE_PREFIX}: ${ASIDE}`],
  },
  {
    name: 'an address in a pool of the operator',
    in: address('10.80.3.4/24'),
    want: [`the address 10.80.3.4/24 of eth0 lies in guests' 10.80.0.0/16: ${ASIDE}`],
  },
  {
    name: 'a TAP of ours that has no tag yet',
    in: { links: [link(2, 'vmtap0')], ...address('100.115.92.25/30'), routes: [route('100.115.92.24/30')] },
    want: [],
  },
  {
    name: 'a route into a pool',
    in: { routes: [route('10.80.7.0/24'), route('10.0.0.0/8')] },
    want: [`the route to 10.80.7.0/24 by eth0 lies in guests' 10.80.0.0/16: ${ASIDE}`],
  },
  { name: 'a rule on bits that nobody of ours uses', in: { markRules: [rule(0x10, 0xfe)] }, want: [] },
  {
    name: 'a rule on our bits, in both families',
    in: { markRules: [rule(0x100, 0xffffffff), { ...rule(0x100, 0xffffffff), family: 'ipv6' }] },
    want: [`rule 100 of another program looks for mark 0x00000100 in 0xffffffff ${SHARES}`],
  },
  {
    name: "wg-quick's rule, whose mark is never ours",
    in: { markRules: [rule(51820, 0xffffffff)] },
    want: [],
  },
  {
    name: 'a rule for marks that our rules would take for a wish about the VPN',
    in: { markRules: [rule(0x8012, 0xffffffff)] },
    want: [`rule 100 of another program looks for mark 0x00008012 in 0xffffffff ${SHARES}`],
  },
  {
    name: 'a rule for marks that would be masqueraded',
    in: { markRules: [rule(0x13, 0xffffffff)] },
    want: [`rule 100 of another program looks for mark 0x00000013 in 0xffffffff ${SHARES}`],
  },
  {
    name: 'a way out that nft cannot name',
    in: { links: [link(2, 'a"b')] },
    want: [
      'the interface "a\\"b" cannot be an uplink: nftables cannot name it; give it a name without quotes, backslashes, * and %',
    ],
  },
  {
    name: 'a way out whose number marks have no room for',
    in: { links: [link(64535, 'eth0'), link(64536, 'eth1')] },
    want: [
      'the interface "eth1" cannot be an uplink: packet marks have no room for its number, 64536; make it anew with one up to 64535 (ip link add eth1 index N ...)',
    ],
  },
  {
    name: 'Tailscale, which has several rules',
    in: {
      links: [link(2, 'eth0'), link(7, 'tailscale0')],
      markRules: [rule(0x80000, 0xff0000, 5210), rule(0x80000, 0xff0000, 5230)],
    },
    want: [`Tailscale is here and marks packets in 0x00ff0000 ${SHARES}`],
  },
  {
    name: 'kube-proxy, whose marks are in iptables only',
    in: { links: [link(7, 'kube-ipvs0')] },
    want: [`kube-proxy is here and marks packets in 0x0000c000 ${SHARES}`],
  },
  {
    name: 'a router',
    in: { routesAbove: 4096 },
    want: [
      'a routing table has more than 4096 routes: guests go by its default routes and the networks of its links, and by no other',
    ],
  },
];

test.each(ROWS)('$name', ({ in: more, want }) => {
  expect(clashesOf(view(more), POOLS)).toEqual(want);
});

test('a bridge whose number marks have no room for is told of only where it was chosen', () => {
  const seen = view({ links: [linkView(70000, 'br0')] });
  expect(clashesOf(seen, POOLS)).toEqual([]);
  expect(clashesOf(seen, POOLS, ['br0'])).toEqual([expect.stringContaining('no room for its number, 70000')]);
});
