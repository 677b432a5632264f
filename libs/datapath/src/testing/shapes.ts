import type { Element, Part, Shape } from '../desired';
import { arcPart } from '../parts/arc';
import { namespacePart } from '../parts/namespace';
import { dnsPart, portRulePart, type PortRule } from '../parts/ports';
import { vmPart } from '../parts/vm';

/** Tables that stand for all others: nothing but the frame, an ordinary host, one with every kind of thing, and Android as the way out. */
export interface TableCase {
  /** Of its golden file. */
  readonly name: string;
  readonly shape: Shape;
  readonly elements: readonly Element[];
}

const GUEST_PREFIX = '100.115.92.0/23';

const pinned = namespacePart({
  number: 0,
  subnet: '100.115.92.128/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: null,
  egress: { kind: 'uplink', ifname: 'eth0' },
  source: 'SYSTEM',
  allowUserTraffic: true,
  forceForwarding: true,
});

const following = namespacePart({
  number: 1,
  subnet: '100.115.92.132/30',
  hostMac: '02:00:00:00:00:03',
  peerMac: '02:00:00:00:00:04',
  client: { pid: 4711, inode: 4026532001 },
  egress: { kind: 'default' },
  source: 'UNKNOWN',
  allowUserTraffic: false,
  forceForwarding: true,
});

const vm: Part = vmPart({
  key: 'termina/7',
  tap: 'vmtap0',
  mac: '02:00:00:00:00:05',
  owner: 0,
  subnet: '100.115.92.24/30',
  containers: '100.115.92.192/28',
  source: 'CROSVM',
  forceForwarding: true,
});

const arc = arcPart({
  key: 'arc/0',
  container: null,
  management: { link: 'vmtap1', mac: '42:37:05:13:17:01' },
  taps: [{ tap: 'vmtap2', mac: '42:37:05:13:17:02' }],
  tapOwner: 0,
  devices: [
    {
      uplink: 'eth0',
      config: { subnet: '100.115.92.4/30', stableMac: 2, queue: 'ethernet' },
      link: 'vmtap2',
      mac: '42:37:05:13:17:02',
      reachable: true,
      multicast: true,
    },
  ],
  forceForwarding: true,
});

const portRules: readonly PortRule[] = [
  { type: 'access', protocol: 'tcp', ifname: null, port: 8080 },
  { type: 'access', protocol: 'udp', ifname: 'vmtap0', port: 53 },
  { type: 'lockdown', protocol: 'tcp', port: 5432 },
  {
    type: 'forwarding',
    protocol: 'tcp',
    ifname: 'eth0',
    address: null,
    port: 80,
    to: { address: '100.115.92.26', port: 8080 },
  },
  {
    type: 'forwarding',
    protocol: 'udp',
    ifname: 'arc_eth0',
    address: '192.0.2.10',
    port: 5353,
    to: { address: '100.115.92.194', port: 5353 },
  },
  {
    type: 'forwarding',
    protocol: 'tcp',
    ifname: 'eth0',
    address: null,
    port: 80,
    to: { address: '2001:db8:1::26', port: 8080 },
  },
  {
    type: 'forwarding',
    protocol: 'udp',
    ifname: 'eth0',
    address: '2001:db8:1::10',
    port: 5353,
    to: { address: '2001:db8:1::26', port: 5353 },
  },
];

const dns = dnsPart([
  { ifname: 'vmtap0', family: 'ipv4', proxy: '100.115.92.130' },
  { ifname: 'vmtap0', family: 'ipv6', proxy: 'fd00::130' },
]);

const mdns: Element = { set: 'guest_services', key: ['vmtap0', 'udp', '5353'] };

export const TABLE_CASES: readonly TableCase[] = [
  { name: 'no-uplink', shape: { uplinks: [], guestPrefixes: [] }, elements: [] },
  {
    name: 'one-uplink',
    shape: { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: [GUEST_PREFIX] },
    elements: pinned.elements,
  },
  {
    name: 'everything',
    shape: {
      uplinks: [
        { ifname: 'eth0', ifindex: 2 },
        { ifname: 'wg@home', ifindex: 77 },
      ],
      guestPrefixes: [GUEST_PREFIX, '10.80.0.0/16'],
      arcAddresses: ['100.115.92.6', '100.115.92.10'],
      sessionUser: 1000,
      userDns: [
        { family: 'ipv4', proxy: '100.115.92.130', nameservers: ['192.0.2.53', '198.51.100.53'] },
        { family: 'ipv6', proxy: 'fd00::130', nameservers: [] },
      ],
      vpn: 'wg@home',
      lockdown: true,
      localSources: {
        users: [
          { uid: 1000, source: 'CHROME' },
          { uid: 217, source: 'USER' },
          { uid: 218, source: 'USER' },
        ],
        cgroup: true,
      },
    },
    elements: [pinned, following, vm, arc, ...portRules.map(portRulePart), dns]
      .flatMap(({ elements }) => elements)
      .concat(mdns),
  },
  {
    name: 'android-vpn',
    shape: {
      uplinks: [
        { ifname: 'eth0', ifindex: 2 },
        { ifname: 'arcbr0', ifindex: 9 },
      ],
      guestPrefixes: [GUEST_PREFIX],
      arcAddresses: ['100.115.92.6'],
      vpn: 'arcbr0',
    },
    elements: arc.elements,
  },
];
