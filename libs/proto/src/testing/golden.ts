import type { Init } from '../codec';
import type { MessageName, Messages } from '../gen/messages';

/** One message with every field set, and its bytes as protoc 3.21 writes them, one string of hex for each top-level field. */
export type Golden = {
  readonly [M in MessageName]: {
    readonly name: M;
    readonly message: Init<Messages[M]>;
    readonly fields: readonly string[];
  };
}[MessageName];

/** The uint32 of an IPv4 address as the API has it: 100.115.92.2 is 0x025c7364. */
const net = (text: string): number =>
  text.split('.').reduce((sum, byte, place) => sum + Number(byte) * 256 ** place, 0);

const MAX_U64 = 18_446_744_073_709_551_615n;
const ABOVE_2_53 = 9_007_199_254_740_993n;

const TERMINA = {
  ifname: 'vmtap0',
  ipv4Addr: net('100.115.92.26'),
  ipv4Subnet: { baseAddr: net('100.115.92.24'), prefixLen: 30 },
  guestType: 3,
  physIfname: 'vmtap0',
  hostIpv4Addr: net('100.115.92.25'),
};
const TERMINA_FIELD = '0a280a06766d7461703010e4e6f1d2011a0808e4e6f1c201101e20032a06766d7461703030e4e6f1ca01';

const PAIR = { upstream: 'eth0', downstream: 'vmtap0', ipv6: true, multicast: true, broadcast: true };
const PORT = { upstream: 'eth0', protocol: 6, port: 8080, address: '100.64.0.2', targetPort: 80 };
const NS_PAIR = { upstream: 'eth0', downstream: 'arc_ns3', ipv6: true, multicast: false, broadcast: false };

/** As ArcVmStartup fills it: the other fields stay at their default. */
const ARCVM = { ifname: 'vmtap1', ipv4Addr: net('100.115.92.6'), guestType: 2 };
const ARCVM_DECODED = { ...ARCVM, ipv4Subnet: undefined, physIfname: '', hostIpv4Addr: 0 };
const ARCVM_FIELD = '0a0f0a06766d7461703110e4e6f1322002';

const COUNTER = {
  rxBytes: MAX_U64,
  txBytes: ABOVE_2_53,
  rxPackets: 4_294_967_296n,
  txPackets: 1n,
  source: 8,
  device: 'eth0',
  ipFamily: 2,
};
const VPN_COUNTER = {
  rxBytes: 5n,
  txBytes: 0n,
  rxPackets: 0n,
  txPackets: 0n,
  source: 7,
  device: 'vpn',
  ipFamily: 1,
};

const TRAFFIC = {
  guest: 'termina/33',
  uplink: 'eth0',
  source: 4,
  ipFamily: 2,
  hour: '2026-11-21T14',
  rxBytes: MAX_U64,
  txBytes: 2n,
  rxPackets: 3n,
  txPackets: 4n,
  host: 'kiosk7',
};

export const GOLDEN: readonly Golden[] = [
  {
    name: 'IPv4Subnet',
    message: { baseAddr: net('100.115.92.24'), prefixLen: 30 },
    fields: ['08e4e6f1c201', '101e'],
  },
  {
    name: 'NetworkDevice',
    message: TERMINA,
    fields: [
      '0a06766d74617030',
      '10e4e6f1d201',
      '1a0808e4e6f1c201101e',
      '2003',
      '2a06766d74617030',
      '30e4e6f1ca01',
    ],
  },
  { name: 'ArcStartupRequest', message: { pid: 2_147_483_647 }, fields: ['08ffffffff07'] },
  { name: 'ArcStartupResponse', message: {}, fields: [] },
  { name: 'ArcShutdownRequest', message: { pid: 4321 }, fields: ['08e121'] },
  { name: 'ArcShutdownResponse', message: {}, fields: [] },
  { name: 'ArcVmStartupRequest', message: { cid: 4_294_967_295 }, fields: ['08ffffffff0f'] },
  {
    name: 'ArcVmStartupResponse',
    message: { devices: [TERMINA, ARCVM_DECODED] },
    fields: [TERMINA_FIELD, ARCVM_FIELD],
  },
  { name: 'ArcVmShutdownRequest', message: { cid: 32 }, fields: ['0820'] },
  { name: 'ArcVmShutdownResponse', message: {}, fields: [] },
  { name: 'TerminaVmStartupRequest', message: { cid: 33 }, fields: ['0821'] },
  {
    name: 'TerminaVmStartupResponse',
    message: { device: TERMINA, containerSubnet: { baseAddr: net('100.115.92.192'), prefixLen: 28 } },
    fields: [TERMINA_FIELD, '120808e4e6f1820c101c'],
  },
  { name: 'TerminaVmShutdownRequest', message: { cid: 33 }, fields: ['0821'] },
  { name: 'TerminaVmShutdownResponse', message: {}, fields: [] },
  {
    name: 'PluginVmStartupRequest',
    message: { id: MAX_U64, subnetIndex: 3 },
    fields: ['08ffffffffffffffffff01', '1003'],
  },
  { name: 'PluginVmStartupResponse', message: { device: TERMINA }, fields: [TERMINA_FIELD] },
  { name: 'PluginVmShutdownRequest', message: { id: ABOVE_2_53 }, fields: ['088180808080808010'] },
  { name: 'PluginVmShutdownResponse', message: {}, fields: [] },
  { name: 'SetVpnIntentRequest', message: { policy: 2 }, fields: ['0802'] },
  { name: 'SetVpnIntentResponse', message: { success: true }, fields: ['0801'] },
  {
    name: 'ConnectNamespaceRequest',
    message: {
      pid: -1,
      outboundPhysicalDevice: 'wlan0',
      allowUserTraffic: true,
      routeOnVpn: true,
      trafficSource: 6,
    },
    fields: ['08ffffffffffffffffff01', '1205776c616e30', '1801', '2001', '2806'],
  },
  {
    name: 'ConnectNamespaceResponse',
    message: {
      ipv4Subnet: { baseAddr: net('100.115.92.128'), prefixLen: 30 },
      peerIfname: 'veth0',
      peerIpv4Address: net('100.115.92.130'),
      hostIfname: 'arc_ns0',
      hostIpv4Address: net('100.115.92.129'),
      netnsName: 'connected_netns_0',
    },
    fields: [
      '0a0808e4e6f18208101e',
      '12057665746830',
      '18e4e6f19208',
      '22076172635f6e7330',
      '28e4e6f18a08',
      '3211636f6e6e65637465645f6e65746e735f30',
    ],
  },
  {
    name: 'TrafficCounter',
    message: COUNTER,
    fields: [
      '08ffffffffffffffffff01',
      '108180808080808010',
      '188080808010',
      '2001',
      '2808',
      '320465746830',
      '3802',
    ],
  },
  {
    name: 'TrafficCountersRequest',
    message: { devices: ['eth0', '', 'wäg0'] },
    fields: ['0a0465746830', '0a00', '0a0577c3a46730'],
  },
  {
    name: 'TrafficCountersResponse',
    message: { counters: [COUNTER, VPN_COUNTER] },
    fields: [
      '0a2608ffffffffffffffffff01108180808080808010188080808010200128083204657468303802',
      '0a0b08052807320376706e3801',
    ],
  },
  {
    name: 'ModifyPortRuleRequest',
    message: {
      op: 2,
      type: 3,
      proto: 2,
      inputIfname: 'eth0',
      inputDstIp: '192.0.2.7',
      inputDstPort: 8080,
      dstIp: '100.115.92.26',
      dstPort: 65_535,
    },
    fields: [
      '0802',
      '1003',
      '1802',
      '220465746830',
      '2a093139322e302e322e37',
      '30903f',
      '3a0d3130302e3131352e39322e3236',
      '40ffff03',
    ],
  },
  { name: 'ModifyPortRuleResponse', message: { success: true }, fields: ['0801'] },
  { name: 'SetVpnLockdownRequest', message: { enableVpnLockdown: true }, fields: ['0801'] },
  { name: 'SetVpnLockdownResponse', message: {}, fields: [] },
  {
    name: 'SetDnsRedirectionRuleRequest',
    message: {
      type: 3,
      inputIfname: 'arc_ns0',
      proxyAddress: 'fd00::53',
      nameservers: ['2001:db8::53', '192.0.2.53'],
    },
    fields: [
      '0803',
      '12076172635f6e7330',
      '1a08666430303a3a3533',
      '220c323030313a6462383a3a3533',
      '220a3139322e302e322e3533',
    ],
  },
  { name: 'SetDnsRedirectionRuleResponse', message: { success: true }, fields: ['0801'] },
  { name: 'GetDevicesRequest', message: {}, fields: [] },
  {
    name: 'GetDevicesResponse',
    message: { devices: [TERMINA, ARCVM_DECODED] },
    fields: [TERMINA_FIELD, ARCVM_FIELD],
  },
  {
    name: 'NetworkDeviceChangedSignal',
    message: { device: TERMINA, event: 2 },
    fields: [TERMINA_FIELD, '1002'],
  },
  {
    name: 'NeighborReachabilityEventSignal',
    message: { ifindex: 7, ipAddr: 'fe80::1', role: 3, type: 2 },
    fields: ['0807', '1207666538303a3a31', '1803', '2002'],
  },
  {
    name: 'ForwardingPair',
    message: { upstream: 'eth0', downstream: 'vmtap0', ipv6: true, multicast: true, broadcast: true },
    fields: ['0a0465746830', '1206766d74617030', '1801', '2001', '2801'],
  },
  {
    name: 'ForwardingPort',
    message: { upstream: 'eth0', protocol: 6, port: 8080, address: '100.64.0.2', targetPort: 80 },
    fields: ['0a0465746830', '1006', '18903f', '220a3130302e36342e302e32', '2850'],
  },
  { name: 'ForwardingArc', message: { cid: 33, pid: 4711 }, fields: ['0821', '10e724'] },
  { name: 'GetForwardingRequest', message: {}, fields: [] },
  {
    name: 'ForwardingState',
    message: {
      instance: MAX_U64,
      generation: 7n,
      pairs: [PAIR, NS_PAIR],
      arc: { cid: 33, pid: 0 },
      ports: [PORT],
    },
    fields: [
      '08ffffffffffffffffff01',
      '1007',
      '1a140a04657468301206766d74617030180120012801',
      '1a110a046574683012076172635f6e73331801',
      '22020821',
      '2a190a0465746830100618903f220a3130302e36342e302e322850',
    ],
  },
  {
    name: 'ForwardingChange',
    message: {
      instance: 1n,
      generation: 8n,
      removed: [PAIR],
      added: [NS_PAIR],
      arc: { cid: 0, pid: 4711 },
      removedPorts: [PORT],
      addedPorts: [PORT],
    },
    fields: [
      '0801',
      '1008',
      '1a140a04657468301206766d74617030180120012801',
      '22110a046574683012076172635f6e73331801',
      '2a0310e724',
      '32190a0465746830100618903f220a3130302e36342e302e322850',
      '3a190a0465746830100618903f220a3130302e36342e302e322850',
    ],
  },
  {
    name: 'NeighborEvent',
    message: {
      ifname: 'vmtap0',
      // 2001:db8:77::9: not UTF-8, which bytes need not be
      address: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9),
      upstream: 'eth0',
    },
    fields: ['0a06766d74617030', '121020010db8007700000000000000000009', '1a0465746830'],
  },
  { name: 'NeighborResponse', message: {}, fields: [] },
  { name: 'CountedRequest', message: {}, fields: [] },
  {
    name: 'CountedUplink',
    message: { ifname: 'tun0', vpn: true },
    fields: ['0a0474756e30', '1001'],
  },
  {
    name: 'CountedLink',
    message: { ifname: 'vmtap0', guest: 'termina/33' },
    fields: ['0a06766d74617030', '120a7465726d696e612f3333'],
  },
  {
    name: 'CountedState',
    message: {
      uplinks: [
        { ifname: 'eth0', vpn: false },
        { ifname: 'tun0', vpn: true },
      ],
      links: [{ ifname: 'vmtap0', guest: 'termina/33' }],
    },
    fields: ['0a060a0465746830', '0a080a0474756e301001', '12140a06766d74617030120a7465726d696e612f3333'],
  },
  { name: 'CountedChanged', message: {}, fields: [] },
  {
    name: 'TrafficRequest',
    message: {
      month: '2026-11',
      byGuest: true,
      byUplink: true,
      bySource: true,
      byFamily: true,
      byHour: true,
      fleet: true,
      byHost: true,
    },
    fields: ['0a07323032362d3131', '1001', '1801', '2001', '2801', '3001', '3801', '4001'],
  },
  {
    name: 'TrafficRow',
    message: TRAFFIC,
    fields: [
      '0a0a7465726d696e612f3333',
      '120465746830',
      '1804',
      '2002',
      '2a0d323032362d31312d3231543134',
      '30ffffffffffffffffff01',
      '3802',
      '4003',
      '4804',
      '52066b696f736b37',
    ],
  },
  {
    name: 'TrafficReport',
    message: { rows: [TRAFFIC], months: ['2026-11'], warnings: ['slow'] },
    fields: [
      '0a3e0a0a7465726d696e612f3333120465746830180420022a0d323032362d31312d323154313430ffffffffffffffffff0138024003480452066b696f736b37',
      '1207323032362d3131',
      '1a04736c6f77',
    ],
  },
];
