import { SharedMap } from '@pp/base';
import { describe as describeOp } from './describe';
import { NOTHING, type Bridge, type Desired, type Part, type Tap } from './desired';
import { namespacePart, type NamespacePart } from './parts/namespace';
import { plan } from './plan';

const NO_PART: Part = {
  netns: [],
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  elements: [],
  linkSysctls: [],
};
const SHAPE = { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: ['100.115.92.0/23'] };
const OTHER_SHAPE = { ...SHAPE, uplinks: [{ ifname: 'wlan0', ifindex: 3 }] };
const ORIGINALS = new Map([
  ['net.ipv4.ip_forward', '0'],
  ['net.ipv6.conf.eth0.accept_ra', '1'],
  ['net.ipv6.conf.eth0.force_forwarding', null],
]);

const NAMESPACE: NamespacePart = {
  number: 0,
  subnet: '100.115.92.128/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: null,
  egress: { kind: 'default' },
  source: 'UNKNOWN',
  allowUserTraffic: false,
  forceForwarding: false,
};

const namespace = (change: Partial<NamespacePart> = {}): Part => namespacePart({ ...NAMESPACE, ...change });

const desired = (parts: Record<string, Part>, change: Partial<Desired> = {}): Desired => ({
  shape: SHAPE,
  sysctls: new Map(),
  parts: SharedMap.of(Object.entries(parts)),
  ...change,
});

const words = (from: Desired, to: Desired): readonly string[] => plan(from, to, ORIGINALS).map(describeOp);

const bridge = (ifname: string): Bridge => ({
  kind: 'bridge',
  ifname,
  alias: 'patchpanel:arc',
  mac: null,
  mtu: null,
  multicast: true,
  master: null,
});

const tap = (master: string | null): Tap => ({
  kind: 'tap',
  ifname: 'vmtap0',
  alias: 'patchpanel:arc',
  mac: null,
  mtu: null,
  multicast: true,
  master,
  owner: 0,
});

const ROUTED: Part = {
  ...namespace(),
  routes: [
    {
      kind: 'unicast',
      dst: '10.9.0.0/24',
      via: '100.115.92.130',
      dev: 'arc_ns0',
      src: null,
      table: 254,
      metric: 0,
      onlink: false,
    },
  ],
  rules: [
    {
      family: 'ipv4',
      priority: 1010,
      fwmark: { value: 0x03ea0000, mask: 0xffff0000 },
      iif: null,
      oif: null,
      from: null,
      to: null,
      table: 1002,
      suppressPrefixLength: null,
    },
  ],
};

const rows: readonly {
  readonly name: string;
  readonly from: Desired;
  readonly to: Desired;
  readonly want: readonly string[];
}[] = [
  { name: 'nothing to nothing', from: NOTHING, to: NOTHING, want: [] },
  {
    name: 'equal values are equal, whatever their references',
    from: desired({ 'namespace/0': namespace() }),
    to: desired({ 'namespace/0': namespace() }, { shape: { ...SHAPE } }),
    want: [],
  },
  {
    name: 'from nothing: all that is used is there before, allow elements last',
    from: NOTHING,
    to: desired({ 'namespace/0': ROUTED }, { sysctls: new Map([['net.ipv4.ip_forward', '1']]) }),
    want: [
      'nft.load table inet patchpanel',
      'sysctl.set net.ipv4.ip_forward = 1',
      'netns.add connected_netns_0',
      'link.add veth arc_ns0',
      'sysctl.set net.ipv6.conf.arc_ns0.accept_ra = 0',
      'sysctl.set net.ipv6.conf.arc_ns0.accept_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns0.accept_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns0.send_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns0.accept_local = 1',
      'sysctl.set net.ipv4.conf.arc_ns0.arp_filter = 1',
      'address.add 100.115.92.129/30 dev arc_ns0',
      'route.add 10.9.0.0/24 via 100.115.92.130 dev arc_ns0 table 254 metric 0',
      'rule.add ipv4 1010: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'nft.elements add guests { "arc_ns0" } and 6 more',
    ],
  },
  {
    name: 'to nothing: allow elements first; what goes with its link needs no step; the table last',
    from: desired({ 'namespace/0': ROUTED }, { sysctls: new Map([['net.ipv4.ip_forward', '1']]) }),
    to: NOTHING,
    want: [
      'nft.elements del guests { "arc_ns0" } and 6 more',
      'rule.del ipv4 1010: from all fwmark 0x03ea0000/0xffff0000 lookup 1002',
      'link.del arc_ns0',
      'netns.del connected_netns_0',
      'sysctl.set net.ipv4.ip_forward = 0 if it is 1',
      'nft.load nothing',
    ],
  },
  {
    name: 'one guest for another: all elements of the one, then all of the other, and no load',
    from: desired({ 'namespace/0': namespace() }),
    to: desired({ 'namespace/1': namespace({ number: 1, subnet: '100.115.92.132/30' }) }),
    want: [
      'nft.elements del guests { "arc_ns0" } and 6 more',
      'link.del arc_ns0',
      'netns.del connected_netns_0',
      'netns.add connected_netns_1',
      'link.add veth arc_ns1',
      'sysctl.set net.ipv6.conf.arc_ns1.accept_ra = 0',
      'sysctl.set net.ipv6.conf.arc_ns1.accept_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns1.accept_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns1.send_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns1.accept_local = 1',
      'sysctl.set net.ipv4.conf.arc_ns1.arp_filter = 1',
      'address.add 100.115.92.133/30 dev arc_ns1',
      'nft.elements add guests { "arc_ns1" } and 6 more',
    ],
  },
  {
    name: 'another verdict is one batch',
    from: desired({ 'namespace/0': namespace() }),
    to: desired({ 'namespace/0': namespace({ egress: { kind: 'nowhere' } }) }),
    want: [
      'nft.elements add guest_egress { "arc_ns0" : jump egress_nowhere } del guest_egress { "arc_ns0" : jump egress_default }',
    ],
  },
  {
    name: 'an attribute of a link',
    from: desired({ 'namespace/0': namespace() }),
    to: desired({ 'namespace/0': namespace({ hostMac: '02:00:00:00:00:99' }) }),
    want: ['link.set arc_ns0 address 02:00:00:00:00:99 multicast off'],
  },
  {
    name: 'another far end is another link, with all that was on it',
    from: desired({ 'namespace/0': ROUTED }),
    to: desired({ 'namespace/0': { ...ROUTED, links: namespace({ peerMac: '02:00:00:00:00:99' }).links } }),
    want: [
      'nft.elements del guests { "arc_ns0" } and 5 more',
      'link.del arc_ns0',
      'link.add veth arc_ns0',
      'sysctl.set net.ipv6.conf.arc_ns0.accept_ra = 0',
      'sysctl.set net.ipv6.conf.arc_ns0.accept_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns0.accept_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns0.send_redirects = 0',
      'sysctl.set net.ipv4.conf.arc_ns0.accept_local = 1',
      'sysctl.set net.ipv4.conf.arc_ns0.arp_filter = 1',
      'address.add 100.115.92.129/30 dev arc_ns0',
      'route.add 10.9.0.0/24 via 100.115.92.130 dev arc_ns0 table 254 metric 0',
      'nft.elements add guests { "arc_ns0" } and 5 more',
    ],
  },
  {
    name: 'bridges come before their ports',
    from: desired({}),
    to: desired({ arc: { ...NO_PART, links: [tap('arcbr0'), bridge('arcbr0')] } }),
    want: ['link.add bridge arcbr0', 'link.add tap vmtap0'],
  },
  {
    name: 'and go after them',
    from: desired({ arc: { ...NO_PART, links: [bridge('arcbr0'), tap('arcbr0')] } }),
    to: desired({}),
    want: ['link.del vmtap0', 'link.del arcbr0'],
  },
  {
    name: 'a port moves from a bridge that goes to one that comes',
    from: desired({ arc: { ...NO_PART, links: [bridge('arc_eth0'), tap('arc_eth0')] } }),
    to: desired({ arc: { ...NO_PART, links: [bridge('arc_wlan0'), tap('arc_wlan0')] } }),
    want: [
      'link.set vmtap0 multicast on',
      'link.del arc_eth0',
      'link.add bridge arc_wlan0',
      'link.set vmtap0 multicast on master arc_wlan0',
    ],
  },
  {
    name: 'a sysctl that holds the value already, and one that this kernel lacks, are left alone',
    from: desired({}),
    to: desired(
      {},
      {
        sysctls: new Map([
          ['net.ipv6.conf.eth0.accept_ra', '1'],
          ['net.ipv6.conf.eth0.force_forwarding', '1'],
        ]),
      },
    ),
    want: [],
  },
  {
    name: 'sysctls are restored in reverse',
    from: desired(
      {},
      {
        sysctls: new Map([
          ['net.ipv6.conf.eth0.accept_ra', '2'],
          ['net.ipv4.ip_forward', '1'],
        ]),
      },
    ),
    to: desired({}),
    want: [
      'sysctl.set net.ipv4.ip_forward = 0 if it is 1',
      'sysctl.set net.ipv6.conf.eth0.accept_ra = 1 if it is 2',
    ],
  },
  {
    name: 'a sysctl that is still wanted, that this kernel lacks, or that was so before us, is not restored',
    from: desired(
      {},
      {
        sysctls: new Map([
          ['net.ipv4.ip_forward', '1'],
          ['net.ipv6.conf.eth0.accept_ra', '1'],
          ['net.ipv6.conf.eth0.force_forwarding', '1'],
        ]),
      },
    ),
    to: desired({}, { sysctls: new Map([['net.ipv4.ip_forward', '1']]) }),
    want: [],
  },
];

test('where redirects were not listened to, they are not when nothing is forwarded any more', () => {
  const forwards = desired({}, { sysctls: new Map([['net.ipv4.ip_forward', '1']]) });
  const restored = (accepts: string): readonly string[] =>
    plan(forwards, desired({}), new Map([...ORIGINALS, ['net.ipv4.conf.all.accept_redirects', accepts]])).map(
      describeOp,
    );
  const own = 'sysctl.set net.ipv4.ip_forward = 0 if it is 1';
  expect(restored('0')).toEqual([own, 'sysctl.set net.ipv4.conf.all.accept_redirects = 0 if it is 1']);
  expect(restored('1')).toEqual([own]);
});

test.each(rows)('$name', ({ from, to, want }) => {
  expect(words(from, to)).toEqual(want);
});

describe('when the uplinks change', () => {
  const pinned = (egress: NamespacePart['egress']): Record<string, Part> => ({
    'namespace/0': namespace({ egress }),
  });
  const from = desired(pinned({ kind: 'uplink', ifname: 'eth0' }));
  const to = desired(pinned({ kind: 'nowhere' }), { shape: OTHER_SHAPE });
  const [load] = plan(from, to, ORIGINALS);

  test('one load changes chains and verdicts together', () => {
    expect(words(from, to)).toEqual(['nft.load table inet patchpanel']);
  });

  test('its text holds the guests with their new verdicts and drops the old chains', () => {
    const text = load?.do === 'nft.load' ? load.text : null;
    expect(text).toContain('add element inet patchpanel guest_egress { "arc_ns0" : jump egress_nowhere }');
    expect(text).toContain('delete chain inet patchpanel egress_to_eth0');
  });

  test('its undo brings back the old verdicts and drops the new chains', () => {
    const was = load?.do === 'nft.load' ? load.was : null;
    expect(was).toContain('add element inet patchpanel guest_egress { "arc_ns0" : jump egress_to_eth0 }');
    expect(was).toContain('delete chain inet patchpanel egress_to_wlan0');
  });

  test('a guest that comes with it is allowed last, not by the load', () => {
    const more = desired(
      { ...pinned({ kind: 'nowhere' }), 'namespace/1': namespace({ number: 1 }) },
      { shape: OTHER_SHAPE },
    );
    const [first, ...rest] = plan(from, more, ORIGINALS);
    expect(first?.do === 'nft.load' && first.text).not.toContain('arc_ns1');
    expect(rest.at(-1)).toMatchObject({ do: 'nft.elements', del: [] });
  });
});

test('what goes with a link is told, for its undo', () => {
  const ops = plan(desired({ 'namespace/0': ROUTED }), desired({}), ORIGINALS);
  const { addresses, routes, linkSysctls } = ROUTED;
  expect(ops.find((op) => op.do === 'link.del')).toMatchObject({ lost: { addresses, routes, linkSysctls } });
});
