// Written by tools/gen-proto.ts from proto/*.proto; never edited.

/** What the wire says of a field. `protoName` is its name in the .proto file, `of` the message it holds. */
export interface Field {
  readonly name: string;
  readonly protoName: string;
  readonly kind: 'int32' | 'uint32' | 'uint64' | 'bool' | 'string' | 'bytes' | 'enum' | 'message';
  readonly repeated: boolean;
  readonly of?: MessageName;
}

export const NetworkDeviceGuestType = {
  UNKNOWN: 0,
  ARC: 1,
  ARCVM: 2,
  TERMINA_VM: 3,
  PLUGIN_VM: 4,
} as const;

export const SetVpnIntentRequestVpnRoutingPolicy = {
  DEFAULT_ROUTING: 0,
  ROUTE_ON_VPN: 1,
  BYPASS_VPN: 2,
} as const;

export const TrafficCounterSource = {
  UNKNOWN: 0,
  CHROME: 1,
  USER: 2,
  ARC: 3,
  CROSVM: 4,
  PLUGINVM: 5,
  UPDATE_ENGINE: 6,
  VPN: 7,
  SYSTEM: 8,
} as const;

export const TrafficCounterIpFamily = {
  NONE: 0,
  IPV4: 1,
  IPV6: 2,
} as const;

export const ModifyPortRuleRequestOperation = {
  INVALID_OPERATION: 0,
  CREATE: 1,
  DELETE: 2,
} as const;

export const ModifyPortRuleRequestRuleType = {
  INVALID_RULE_TYPE: 0,
  ACCESS: 1,
  LOCKDOWN: 2,
  FORWARDING: 3,
} as const;

export const ModifyPortRuleRequestProtocol = {
  INVALID_PROTOCOL: 0,
  TCP: 1,
  UDP: 2,
} as const;

export const SetDnsRedirectionRuleRequestRuleType = {
  INVALID_RULE_TYPE: 0,
  DEFAULT: 1,
  ARC: 2,
  USER: 3,
} as const;

export const NetworkDeviceChangedSignalEvent = {
  UNKNOWN_CHANGE: 0,
  DEVICE_ADDED: 1,
  DEVICE_REMOVED: 2,
} as const;

export const NeighborReachabilityEventSignalRole = {
  INVALID_ROLE: 0,
  GATEWAY: 1,
  DNS_SERVER: 2,
  GATEWAY_AND_DNS_SERVER: 3,
} as const;

export const NeighborReachabilityEventSignalEventType = {
  INVALID_EVENT_TYPE: 0,
  FAILED: 1,
  REACHABLE: 2,
} as const;

export interface IPv4Subnet {
  readonly baseAddr: number;
  readonly prefixLen: number;
}

export interface NetworkDevice {
  readonly ifname: string;
  readonly ipv4Addr: number;
  readonly ipv4Subnet: IPv4Subnet | undefined;
  /** NetworkDeviceGuestType, or a number that is none of them. */
  readonly guestType: number;
  readonly physIfname: string;
  readonly hostIpv4Addr: number;
}

export interface ArcStartupRequest {
  readonly pid: number;
}

export type ArcStartupResponse = Readonly<Record<never, never>>;

export interface ArcShutdownRequest {
  readonly pid: number;
}

export type ArcShutdownResponse = Readonly<Record<never, never>>;

export interface ArcVmStartupRequest {
  readonly cid: number;
}

export interface ArcVmStartupResponse {
  readonly devices: readonly NetworkDevice[];
}

export interface ArcVmShutdownRequest {
  readonly cid: number;
}

export type ArcVmShutdownResponse = Readonly<Record<never, never>>;

export interface TerminaVmStartupRequest {
  readonly cid: number;
}

export interface TerminaVmStartupResponse {
  readonly device: NetworkDevice | undefined;
  readonly containerSubnet: IPv4Subnet | undefined;
}

export interface TerminaVmShutdownRequest {
  readonly cid: number;
}

export type TerminaVmShutdownResponse = Readonly<Record<never, never>>;

export interface PluginVmStartupRequest {
  readonly id: bigint;
  readonly subnetIndex: number;
}

export interface PluginVmStartupResponse {
  readonly device: NetworkDevice | undefined;
}

export interface PluginVmShutdownRequest {
  readonly id: bigint;
}

export type PluginVmShutdownResponse = Readonly<Record<never, never>>;

export interface SetVpnIntentRequest {
  /** SetVpnIntentRequestVpnRoutingPolicy, or a number that is none of them. */
  readonly policy: number;
}

export interface SetVpnIntentResponse {
  readonly success: boolean;
}

export interface ConnectNamespaceRequest {
  readonly pid: number;
  readonly outboundPhysicalDevice: string;
  readonly allowUserTraffic: boolean;
  readonly routeOnVpn: boolean;
  /** TrafficCounterSource, or a number that is none of them. */
  readonly trafficSource: number;
}

export interface ConnectNamespaceResponse {
  readonly ipv4Subnet: IPv4Subnet | undefined;
  readonly peerIfname: string;
  readonly peerIpv4Address: number;
  readonly hostIfname: string;
  readonly hostIpv4Address: number;
  readonly netnsName: string;
}

export interface TrafficCounter {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  /** TrafficCounterSource, or a number that is none of them. */
  readonly source: number;
  readonly device: string;
  /** TrafficCounterIpFamily, or a number that is none of them. */
  readonly ipFamily: number;
}

export interface TrafficCountersRequest {
  readonly devices: readonly string[];
}

export interface TrafficCountersResponse {
  readonly counters: readonly TrafficCounter[];
}

export interface ModifyPortRuleRequest {
  /** ModifyPortRuleRequestOperation, or a number that is none of them. */
  readonly op: number;
  /** ModifyPortRuleRequestRuleType, or a number that is none of them. */
  readonly type: number;
  /** ModifyPortRuleRequestProtocol, or a number that is none of them. */
  readonly proto: number;
  readonly inputIfname: string;
  readonly inputDstIp: string;
  readonly inputDstPort: number;
  readonly dstIp: string;
  readonly dstPort: number;
}

export interface ModifyPortRuleResponse {
  readonly success: boolean;
}

export interface SetVpnLockdownRequest {
  readonly enableVpnLockdown: boolean;
}

export type SetVpnLockdownResponse = Readonly<Record<never, never>>;

export interface SetDnsRedirectionRuleRequest {
  /** SetDnsRedirectionRuleRequestRuleType, or a number that is none of them. */
  readonly type: number;
  readonly inputIfname: string;
  readonly proxyAddress: string;
  readonly nameservers: readonly string[];
}

export interface SetDnsRedirectionRuleResponse {
  readonly success: boolean;
}

export type GetDevicesRequest = Readonly<Record<never, never>>;

export interface GetDevicesResponse {
  readonly devices: readonly NetworkDevice[];
}

export interface NetworkDeviceChangedSignal {
  readonly device: NetworkDevice | undefined;
  /** NetworkDeviceChangedSignalEvent, or a number that is none of them. */
  readonly event: number;
}

export interface NeighborReachabilityEventSignal {
  readonly ifindex: number;
  readonly ipAddr: string;
  /** NeighborReachabilityEventSignalRole, or a number that is none of them. */
  readonly role: number;
  /** NeighborReachabilityEventSignalEventType, or a number that is none of them. */
  readonly type: number;
}

export interface ForwardingPair {
  readonly upstream: string;
  readonly downstream: string;
  readonly ipv6: boolean;
  readonly multicast: boolean;
  readonly broadcast: boolean;
}

export interface ForwardingPort {
  readonly upstream: string;
  readonly protocol: number;
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

export interface ForwardingArc {
  readonly cid: number;
  readonly pid: number;
}

export type GetForwardingRequest = Readonly<Record<never, never>>;

export interface ForwardingState {
  readonly instance: bigint;
  readonly generation: bigint;
  readonly pairs: readonly ForwardingPair[];
  readonly arc: ForwardingArc | undefined;
  readonly ports: readonly ForwardingPort[];
}

export interface ForwardingChange {
  readonly instance: bigint;
  readonly generation: bigint;
  readonly removed: readonly ForwardingPair[];
  readonly added: readonly ForwardingPair[];
  readonly arc: ForwardingArc | undefined;
  readonly removedPorts: readonly ForwardingPort[];
  readonly addedPorts: readonly ForwardingPort[];
}

export interface NeighborEvent {
  readonly ifname: string;
  readonly address: Uint8Array;
  readonly upstream: string;
}

export type NeighborResponse = Readonly<Record<never, never>>;

export type CountedRequest = Readonly<Record<never, never>>;

export interface CountedUplink {
  readonly ifname: string;
  readonly vpn: boolean;
}

export interface CountedLink {
  readonly ifname: string;
  readonly guest: string;
}

export interface CountedState {
  readonly uplinks: readonly CountedUplink[];
  readonly links: readonly CountedLink[];
}

export type CountedChanged = Readonly<Record<never, never>>;

export interface TrafficRequest {
  readonly month: string;
  readonly byGuest: boolean;
  readonly byUplink: boolean;
  readonly bySource: boolean;
  readonly byFamily: boolean;
  readonly byHour: boolean;
  readonly fleet: boolean;
  readonly byHost: boolean;
}

export interface TrafficRow {
  readonly guest: string;
  readonly uplink: string;
  /** TrafficCounterSource, or a number that is none of them. */
  readonly source: number;
  /** TrafficCounterIpFamily, or a number that is none of them. */
  readonly ipFamily: number;
  readonly hour: string;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly host: string;
}

export interface TrafficReport {
  readonly rows: readonly TrafficRow[];
  readonly months: readonly string[];
  readonly warnings: readonly string[];
}

/** Every message by its name. */
export interface Messages {
  readonly IPv4Subnet: IPv4Subnet;
  readonly NetworkDevice: NetworkDevice;
  readonly ArcStartupRequest: ArcStartupRequest;
  readonly ArcStartupResponse: ArcStartupResponse;
  readonly ArcShutdownRequest: ArcShutdownRequest;
  readonly ArcShutdownResponse: ArcShutdownResponse;
  readonly ArcVmStartupRequest: ArcVmStartupRequest;
  readonly ArcVmStartupResponse: ArcVmStartupResponse;
  readonly ArcVmShutdownRequest: ArcVmShutdownRequest;
  readonly ArcVmShutdownResponse: ArcVmShutdownResponse;
  readonly TerminaVmStartupRequest: TerminaVmStartupRequest;
  readonly TerminaVmStartupResponse: TerminaVmStartupResponse;
  readonly TerminaVmShutdownRequest: TerminaVmShutdownRequest;
  readonly TerminaVmShutdownResponse: TerminaVmShutdownResponse;
  readonly PluginVmStartupRequest: PluginVmStartupRequest;
  readonly PluginVmStartupResponse: PluginVmStartupResponse;
  readonly PluginVmShutdownRequest: PluginVmShutdownRequest;
  readonly PluginVmShutdownResponse: PluginVmShutdownResponse;
  readonly SetVpnIntentRequest: SetVpnIntentRequest;
  readonly SetVpnIntentResponse: SetVpnIntentResponse;
  readonly ConnectNamespaceRequest: ConnectNamespaceRequest;
  readonly ConnectNamespaceResponse: ConnectNamespaceResponse;
  readonly TrafficCounter: TrafficCounter;
  readonly TrafficCountersRequest: TrafficCountersRequest;
  readonly TrafficCountersResponse: TrafficCountersResponse;
  readonly ModifyPortRuleRequest: ModifyPortRuleRequest;
  readonly ModifyPortRuleResponse: ModifyPortRuleResponse;
  readonly SetVpnLockdownRequest: SetVpnLockdownRequest;
  readonly SetVpnLockdownResponse: SetVpnLockdownResponse;
  readonly SetDnsRedirectionRuleRequest: SetDnsRedirectionRuleRequest;
  readonly SetDnsRedirectionRuleResponse: SetDnsRedirectionRuleResponse;
  readonly GetDevicesRequest: GetDevicesRequest;
  readonly GetDevicesResponse: GetDevicesResponse;
  readonly NetworkDeviceChangedSignal: NetworkDeviceChangedSignal;
  readonly NeighborReachabilityEventSignal: NeighborReachabilityEventSignal;
  readonly ForwardingPair: ForwardingPair;
  readonly ForwardingPort: ForwardingPort;
  readonly ForwardingArc: ForwardingArc;
  readonly GetForwardingRequest: GetForwardingRequest;
  readonly ForwardingState: ForwardingState;
  readonly ForwardingChange: ForwardingChange;
  readonly NeighborEvent: NeighborEvent;
  readonly NeighborResponse: NeighborResponse;
  readonly CountedRequest: CountedRequest;
  readonly CountedUplink: CountedUplink;
  readonly CountedLink: CountedLink;
  readonly CountedState: CountedState;
  readonly CountedChanged: CountedChanged;
  readonly TrafficRequest: TrafficRequest;
  readonly TrafficRow: TrafficRow;
  readonly TrafficReport: TrafficReport;
}

export type MessageName = keyof Messages;

/** Every field of every message by its number. */
export const FIELDS: Readonly<Record<MessageName, Readonly<Record<number, Field>>>> = {
  IPv4Subnet: {
    1: { name: 'baseAddr', protoName: 'base_addr', kind: 'uint32', repeated: false },
    2: { name: 'prefixLen', protoName: 'prefix_len', kind: 'uint32', repeated: false },
  },
  NetworkDevice: {
    1: { name: 'ifname', protoName: 'ifname', kind: 'string', repeated: false },
    2: { name: 'ipv4Addr', protoName: 'ipv4_addr', kind: 'uint32', repeated: false },
    3: { name: 'ipv4Subnet', protoName: 'ipv4_subnet', kind: 'message', repeated: false, of: 'IPv4Subnet' },
    4: { name: 'guestType', protoName: 'guest_type', kind: 'enum', repeated: false },
    5: { name: 'physIfname', protoName: 'phys_ifname', kind: 'string', repeated: false },
    6: { name: 'hostIpv4Addr', protoName: 'host_ipv4_addr', kind: 'uint32', repeated: false },
  },
  ArcStartupRequest: {
    1: { name: 'pid', protoName: 'pid', kind: 'int32', repeated: false },
  },
  ArcStartupResponse: {},
  ArcShutdownRequest: {
    1: { name: 'pid', protoName: 'pid', kind: 'int32', repeated: false },
  },
  ArcShutdownResponse: {},
  ArcVmStartupRequest: {
    1: { name: 'cid', protoName: 'cid', kind: 'uint32', repeated: false },
  },
  ArcVmStartupResponse: {
    1: { name: 'devices', protoName: 'devices', kind: 'message', repeated: true, of: 'NetworkDevice' },
  },
  ArcVmShutdownRequest: {
    1: { name: 'cid', protoName: 'cid', kind: 'uint32', repeated: false },
  },
  ArcVmShutdownResponse: {},
  TerminaVmStartupRequest: {
    1: { name: 'cid', protoName: 'cid', kind: 'uint32', repeated: false },
  },
  TerminaVmStartupResponse: {
    1: { name: 'device', protoName: 'device', kind: 'message', repeated: false, of: 'NetworkDevice' },
    2: { name: 'containerSubnet', protoName: 'container_subnet', kind: 'message', repeated: false, of: 'IPv4Subnet' },
  },
  TerminaVmShutdownRequest: {
    1: { name: 'cid', protoName: 'cid', kind: 'uint32', repeated: false },
  },
  TerminaVmShutdownResponse: {},
  PluginVmStartupRequest: {
    1: { name: 'id', protoName: 'id', kind: 'uint64', repeated: false },
    2: { name: 'subnetIndex', protoName: 'subnet_index', kind: 'int32', repeated: false },
  },
  PluginVmStartupResponse: {
    1: { name: 'device', protoName: 'device', kind: 'message', repeated: false, of: 'NetworkDevice' },
  },
  PluginVmShutdownRequest: {
    1: { name: 'id', protoName: 'id', kind: 'uint64', repeated: false },
  },
  PluginVmShutdownResponse: {},
  SetVpnIntentRequest: {
    1: { name: 'policy', protoName: 'policy', kind: 'enum', repeated: false },
  },
  SetVpnIntentResponse: {
    1: { name: 'success', protoName: 'success', kind: 'bool', repeated: false },
  },
  ConnectNamespaceRequest: {
    1: { name: 'pid', protoName: 'pid', kind: 'int32', repeated: false },
    2: { name: 'outboundPhysicalDevice', protoName: 'outbound_physical_device', kind: 'string', repeated: false },
    3: { name: 'allowUserTraffic', protoName: 'allow_user_traffic', kind: 'bool', repeated: false },
    4: { name: 'routeOnVpn', protoName: 'route_on_vpn', kind: 'bool', repeated: false },
    5: { name: 'trafficSource', protoName: 'traffic_source', kind: 'enum', repeated: false },
  },
  ConnectNamespaceResponse: {
    1: { name: 'ipv4Subnet', protoName: 'ipv4_subnet', kind: 'message', repeated: false, of: 'IPv4Subnet' },
    2: { name: 'peerIfname', protoName: 'peer_ifname', kind: 'string', repeated: false },
    3: { name: 'peerIpv4Address', protoName: 'peer_ipv4_address', kind: 'uint32', repeated: false },
    4: { name: 'hostIfname', protoName: 'host_ifname', kind: 'string', repeated: false },
    5: { name: 'hostIpv4Address', protoName: 'host_ipv4_address', kind: 'uint32', repeated: false },
    6: { name: 'netnsName', protoName: 'netns_name', kind: 'string', repeated: false },
  },
  TrafficCounter: {
    1: { name: 'rxBytes', protoName: 'rx_bytes', kind: 'uint64', repeated: false },
    2: { name: 'txBytes', protoName: 'tx_bytes', kind: 'uint64', repeated: false },
    3: { name: 'rxPackets', protoName: 'rx_packets', kind: 'uint64', repeated: false },
    4: { name: 'txPackets', protoName: 'tx_packets', kind: 'uint64', repeated: false },
    5: { name: 'source', protoName: 'source', kind: 'enum', repeated: false },
    6: { name: 'device', protoName: 'device', kind: 'string', repeated: false },
    7: { name: 'ipFamily', protoName: 'ip_family', kind: 'enum', repeated: false },
  },
  TrafficCountersRequest: {
    1: { name: 'devices', protoName: 'devices', kind: 'string', repeated: true },
  },
  TrafficCountersResponse: {
    1: { name: 'counters', protoName: 'counters', kind: 'message', repeated: true, of: 'TrafficCounter' },
  },
  ModifyPortRuleRequest: {
    1: { name: 'op', protoName: 'op', kind: 'enum', repeated: false },
    2: { name: 'type', protoName: 'type', kind: 'enum', repeated: false },
    3: { name: 'proto', protoName: 'proto', kind: 'enum', repeated: false },
    4: { name: 'inputIfname', protoName: 'input_ifname', kind: 'string', repeated: false },
    5: { name: 'inputDstIp', protoName: 'input_dst_ip', kind: 'string', repeated: false },
    6: { name: 'inputDstPort', protoName: 'input_dst_port', kind: 'uint32', repeated: false },
    7: { name: 'dstIp', protoName: 'dst_ip', kind: 'string', repeated: false },
    8: { name: 'dstPort', protoName: 'dst_port', kind: 'uint32', repeated: false },
  },
  ModifyPortRuleResponse: {
    1: { name: 'success', protoName: 'success', kind: 'bool', repeated: false },
  },
  SetVpnLockdownRequest: {
    1: { name: 'enableVpnLockdown', protoName: 'enable_vpn_lockdown', kind: 'bool', repeated: false },
  },
  SetVpnLockdownResponse: {},
  SetDnsRedirectionRuleRequest: {
    1: { name: 'type', protoName: 'type', kind: 'enum', repeated: false },
    2: { name: 'inputIfname', protoName: 'input_ifname', kind: 'string', repeated: false },
    3: { name: 'proxyAddress', protoName: 'proxy_address', kind: 'string', repeated: false },
    4: { name: 'nameservers', protoName: 'nameservers', kind: 'string', repeated: true },
  },
  SetDnsRedirectionRuleResponse: {
    1: { name: 'success', protoName: 'success', kind: 'bool', repeated: false },
  },
  GetDevicesRequest: {},
  GetDevicesResponse: {
    1: { name: 'devices', protoName: 'devices', kind: 'message', repeated: true, of: 'NetworkDevice' },
  },
  NetworkDeviceChangedSignal: {
    1: { name: 'device', protoName: 'device', kind: 'message', repeated: false, of: 'NetworkDevice' },
    2: { name: 'event', protoName: 'event', kind: 'enum', repeated: false },
  },
  NeighborReachabilityEventSignal: {
    1: { name: 'ifindex', protoName: 'ifindex', kind: 'int32', repeated: false },
    2: { name: 'ipAddr', protoName: 'ip_addr', kind: 'string', repeated: false },
    3: { name: 'role', protoName: 'role', kind: 'enum', repeated: false },
    4: { name: 'type', protoName: 'type', kind: 'enum', repeated: false },
  },
  ForwardingPair: {
    1: { name: 'upstream', protoName: 'upstream', kind: 'string', repeated: false },
    2: { name: 'downstream', protoName: 'downstream', kind: 'string', repeated: false },
    3: { name: 'ipv6', protoName: 'ipv6', kind: 'bool', repeated: false },
    4: { name: 'multicast', protoName: 'multicast', kind: 'bool', repeated: false },
    5: { name: 'broadcast', protoName: 'broadcast', kind: 'bool', repeated: false },
  },
  ForwardingPort: {
    1: { name: 'upstream', protoName: 'upstream', kind: 'string', repeated: false },
    2: { name: 'protocol', protoName: 'protocol', kind: 'uint32', repeated: false },
    3: { name: 'port', protoName: 'port', kind: 'uint32', repeated: false },
    4: { name: 'address', protoName: 'address', kind: 'string', repeated: false },
    5: { name: 'targetPort', protoName: 'target_port', kind: 'uint32', repeated: false },
  },
  ForwardingArc: {
    1: { name: 'cid', protoName: 'cid', kind: 'uint32', repeated: false },
    2: { name: 'pid', protoName: 'pid', kind: 'int32', repeated: false },
  },
  GetForwardingRequest: {},
  ForwardingState: {
    1: { name: 'instance', protoName: 'instance', kind: 'uint64', repeated: false },
    2: { name: 'generation', protoName: 'generation', kind: 'uint64', repeated: false },
    3: { name: 'pairs', protoName: 'pairs', kind: 'message', repeated: true, of: 'ForwardingPair' },
    4: { name: 'arc', protoName: 'arc', kind: 'message', repeated: false, of: 'ForwardingArc' },
    5: { name: 'ports', protoName: 'ports', kind: 'message', repeated: true, of: 'ForwardingPort' },
  },
  ForwardingChange: {
    1: { name: 'instance', protoName: 'instance', kind: 'uint64', repeated: false },
    2: { name: 'generation', protoName: 'generation', kind: 'uint64', repeated: false },
    3: { name: 'removed', protoName: 'removed', kind: 'message', repeated: true, of: 'ForwardingPair' },
    4: { name: 'added', protoName: 'added', kind: 'message', repeated: true, of: 'ForwardingPair' },
    5: { name: 'arc', protoName: 'arc', kind: 'message', repeated: false, of: 'ForwardingArc' },
    6: { name: 'removedPorts', protoName: 'removed_ports', kind: 'message', repeated: true, of: 'ForwardingPort' },
    7: { name: 'addedPorts', protoName: 'added_ports', kind: 'message', repeated: true, of: 'ForwardingPort' },
  },
  NeighborEvent: {
    1: { name: 'ifname', protoName: 'ifname', kind: 'string', repeated: false },
    2: { name: 'address', protoName: 'address', kind: 'bytes', repeated: false },
    3: { name: 'upstream', protoName: 'upstream', kind: 'string', repeated: false },
  },
  NeighborResponse: {},
  CountedRequest: {},
  CountedUplink: {
    1: { name: 'ifname', protoName: 'ifname', kind: 'string', repeated: false },
    2: { name: 'vpn', protoName: 'vpn', kind: 'bool', repeated: false },
  },
  CountedLink: {
    1: { name: 'ifname', protoName: 'ifname', kind: 'string', repeated: false },
    2: { name: 'guest', protoName: 'guest', kind: 'string', repeated: false },
  },
  CountedState: {
    1: { name: 'uplinks', protoName: 'uplinks', kind: 'message', repeated: true, of: 'CountedUplink' },
    2: { name: 'links', protoName: 'links', kind: 'message', repeated: true, of: 'CountedLink' },
  },
  CountedChanged: {},
  TrafficRequest: {
    1: { name: 'month', protoName: 'month', kind: 'string', repeated: false },
    2: { name: 'byGuest', protoName: 'by_guest', kind: 'bool', repeated: false },
    3: { name: 'byUplink', protoName: 'by_uplink', kind: 'bool', repeated: false },
    4: { name: 'bySource', protoName: 'by_source', kind: 'bool', repeated: false },
    5: { name: 'byFamily', protoName: 'by_family', kind: 'bool', repeated: false },
    6: { name: 'byHour', protoName: 'by_hour', kind: 'bool', repeated: false },
    7: { name: 'fleet', protoName: 'fleet', kind: 'bool', repeated: false },
    8: { name: 'byHost', protoName: 'by_host', kind: 'bool', repeated: false },
  },
  TrafficRow: {
    1: { name: 'guest', protoName: 'guest', kind: 'string', repeated: false },
    2: { name: 'uplink', protoName: 'uplink', kind: 'string', repeated: false },
    3: { name: 'source', protoName: 'source', kind: 'enum', repeated: false },
    4: { name: 'ipFamily', protoName: 'ip_family', kind: 'enum', repeated: false },
    5: { name: 'hour', protoName: 'hour', kind: 'string', repeated: false },
    6: { name: 'rxBytes', protoName: 'rx_bytes', kind: 'uint64', repeated: false },
    7: { name: 'txBytes', protoName: 'tx_bytes', kind: 'uint64', repeated: false },
    8: { name: 'rxPackets', protoName: 'rx_packets', kind: 'uint64', repeated: false },
    9: { name: 'txPackets', protoName: 'tx_packets', kind: 'uint64', repeated: false },
    10: { name: 'host', protoName: 'host', kind: 'string', repeated: false },
  },
  TrafficReport: {
    1: { name: 'rows', protoName: 'rows', kind: 'message', repeated: true, of: 'TrafficRow' },
    2: { name: 'months', protoName: 'months', kind: 'string', repeated: true },
    3: { name: 'warnings', protoName: 'warnings', kind: 'string', repeated: true },
  },
};
