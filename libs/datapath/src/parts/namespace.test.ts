import { elementText } from '../nft/render';
import { addressText, attributesText, identityText, sysctlText } from '../text';
import { namespacePart, type NamespacePart } from './namespace';

const SPEC: NamespacePart = {
  number: 3,
  subnet: '100.115.92.140/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: { pid: 4711, inode: 4026532001 },
  egress: { kind: 'default' },
  source: 'USER',
  allowUserTraffic: false,
  forceForwarding: false,
};

const elements = (change: Partial<NamespacePart>): readonly string[] =>
  namespacePart({ ...SPEC, ...change }).elements.map((element) => `${element.set} ${elementText(element)}`);

test('links, address and sysctls of a namespace', () => {
  const part = namespacePart(SPEC);
  expect(part.netns).toEqual([{ name: 'connected_netns_3', from: { pid: 4711, inode: 4026532001 } }]);
  expect(part.links.map((link) => [identityText(link), attributesText(link)])).toEqual([
    [
      'arc_ns3 veth alias patchpanel:namespace/3 peer veth3 netns connected_netns_3 address 02:00:00:00:00:02 100.115.92.142/30 via 100.115.92.141 multicast off',
      'address 02:00:00:00:00:01 multicast off',
    ],
  ]);
  expect(part.addresses.map(addressText)).toEqual(['100.115.92.141/30 dev arc_ns3']);
  expect(part.linkSysctls.map(sysctlText)).toEqual([
    'net.ipv6.conf.arc_ns3.accept_ra = 0',
    'net.ipv6.conf.arc_ns3.accept_redirects = 0',
    'net.ipv4.conf.arc_ns3.accept_redirects = 0',
    'net.ipv4.conf.arc_ns3.send_redirects = 0',
    'net.ipv4.conf.arc_ns3.accept_local = 1',
    'net.ipv4.conf.arc_ns3.arp_filter = 1',
  ]);
  expect([part.routes, part.rules]).toEqual([[], []]);
});

test('IPv6 is forwarded for this link alone where the kernel can', () => {
  const { linkSysctls } = namespacePart({ ...SPEC, forceForwarding: true });
  expect(linkSysctls.map(sysctlText)).toContain('net.ipv6.conf.arc_ns3.force_forwarding = 1');
});

const basic = (letIn = 'mac_of_guest'): readonly string[] => [
  'guests "arc_ns3"',
  `guest_address "arc_ns3" . 100.115.92.142 : jump ${letIn}`,
  'guest_mac_checked "arc_ns3"',
  `guest_mac "arc_ns3" . ${SPEC.peerMac}`,
  'guest_haste "arc_ns3"',
  'guest_gateways 100.115.92.141',
];

const rows: readonly {
  readonly name: string;
  readonly in: Partial<NamespacePart>;
  /** Chain that its packets enter by. */
  readonly letIn?: string;
  readonly want: readonly string[];
}[] = [
  {
    name: 'by the default route',
    in: {},
    want: ['guest_egress "arc_ns3" : jump egress_default', 'guest_source "arc_ns3" : jump source_user'],
  },
  {
    name: 'as the user',
    in: { egress: { kind: 'user' } },
    letIn: 'mac_of_user_guest',
    want: ['guest_egress "arc_ns3" : jump egress_user', 'guest_source "arc_ns3" : jump source_user'],
  },
  {
    name: 'by one uplink',
    in: { egress: { kind: 'uplink', ifname: 'wlan0' }, source: 'UPDATE_ENGINE' },
    want: [
      'guest_egress "arc_ns3" : jump egress_to_wlan0',
      'guest_source "arc_ns3" : jump source_update_engine',
    ],
  },
  {
    name: 'nowhere, of no source',
    in: { egress: { kind: 'nowhere' }, source: 'UNKNOWN' },
    want: ['guest_egress "arc_ns3" : jump egress_nowhere'],
  },
  {
    name: 'with user traffic',
    in: { allowUserTraffic: true },
    want: [
      'guest_egress "arc_ns3" : jump egress_default',
      'guest_source "arc_ns3" : jump source_user',
      'user_namespaces "arc_ns3"',
    ],
  },
];

test.each(rows)('what the packet filter knows: $name', ({ in: change, letIn, want }) => {
  expect(elements(change)).toEqual([...basic(letIn), ...want]);
});
