/** Type of one field of a key, by nft's name. How the text of a field looks: */
export type Field =
  /** The name itself. */
  | 'ifname'
  /** Canonical text. */
  | 'ipv4_addr'
  | 'ipv6_addr'
  /** "02:00:00:00:00:01". */
  | 'ether_addr'
  /** "0x00002100". */
  | 'mark'
  /** "tcp" or "udp". */
  | 'inet_proto'
  /** A port in decimal. */
  | 'inet_service';

/** Of `table inet patchpanel`: a set, a map from its key to a chain to jump to, or a map from its key to a value. */
export interface SetSpec {
  readonly name: string;
  readonly kind: 'set' | 'vmap' | 'map';
  readonly fields: readonly Field[];
  /** Of the value of a map; of others empty. */
  readonly data: readonly Field[];
  /** A measure that each element has for itself, in nft's words: it matches only what goes over it. */
  readonly over?: string;
}

/** Of adbd, and of the relay to it; as a set's key writes it. */
export const ADB_PORT = '5555';

/**
 * What of the datapath depends on guests and uplinks. All are hash tables without a declared size: the kernel lets them grow
 * with their content, which the address pools bound. A declared 65,536 costs 2 MB of kernel memory for each set, used or not, and
 * listing the table takes ten times as long; the look-up costs the same (measured on 6.18). None has intervals, which would make
 * each look-up a third dearer: a prefix is given address by address.
 */
export const SETS = {
  /** Links that may pass packets: what is in LINK_GROUP and not here is not set up yet, or on its way out. */
  guests: set('guests', 'ifname'),
  /** Every IPv4 source address that may come from a link, to the chain that looks at the Ethernet address. */
  guestAddress: vmap('guest_address', 'ifname', 'ipv4_addr'),
  /** Links whose guest's Ethernet address is known: it is in guestMac, and no other may come from there. */
  guestMacChecked: set('guest_mac_checked', 'ifname'),
  guestMac: set('guest_mac', 'ifname', 'ether_addr'),
  /** The host's own Ethernet address on a link, which the guest may not use. */
  hostMac: set('host_mac', 'ifname', 'ether_addr'),
  /**
   * Links of guests, matched by what a guest sends too much of. Five seconds of it, for which the kernel keeps a neighbour that it has heard of, are a
   * quarter of the 1,024 that all links of the host share.
   */
  guestHaste: { ...set('guest_haste', 'ifname'), over: 'limit rate over 32/second burst 64 packets' },
  /** The host's own addresses on guest links. */
  guestGateways: set('guest_gateways', 'ipv4_addr'),
  /** Services of the host that a guest may use. */
  guestServices: set('guest_services', 'ifname', 'inet_proto', 'inet_service'),
  /** Containers and VMs, which `userNamespaces` may talk to. */
  managedGuests: set('managed_guests', 'ifname'),
  /** Namespaces connected with allow_user_traffic. */
  userNamespaces: set('user_namespaces', 'ifname'),
  /** To the chain of the guest's traffic source. */
  guestSource: vmap('guest_source', 'ifname'),
  /** To the chain of the way the guest's traffic leaves. */
  guestEgress: vmap('guest_egress', 'ifname'),
  uplinks: set('uplinks', 'ifname'),
  /** The uplink that user traffic must take, while a VPN is up. */
  vpns: set('vpns', 'ifname'),
  /** To the chain that pins a connection to the uplink it leaves by. */
  uplinkPin: vmap('uplink_pin', 'ifname'),
  /** By uplink, to the chain that leads what nobody on the host waits for to ARC's device of that uplink. */
  arcInbound: vmap('arc_inbound', 'ifname'),
  /** To the chain that holds back what is pinned to another uplink. */
  uplinkForward: vmap('uplink_forward', 'ifname'),
  /** To the chain that lets a connection from outside, led to a guest, answer by the uplink that it came by. */
  uplinkArrival: vmap('uplink_arrival', 'ifname'),
  /** Ports of the host that every guest may use, and those that what comes by one interface may use. */
  openPorts: set('open_ports', 'inet_proto', 'inet_service'),
  openPortsOn: set('open_ports_on', 'ifname', 'inet_proto', 'inet_service'),
  /** Ports on loopback that only the session's user reaches. */
  lockedPorts: set('locked_ports', 'inet_proto', 'inet_service'),
  /** What comes by an interface for the host, and for one address, to the guest's address and port. */
  portForwards: map('port_forwards', ['ifname', 'inet_proto', 'inet_service'], ['ipv4_addr', 'inet_service']),
  portForwardsAt: map(
    'port_forwards_at',
    ['ifname', 'ipv4_addr', 'inet_proto', 'inet_service'],
    ['ipv4_addr', 'inet_service'],
  ),
  portForwards6: map(
    'port_forwards6',
    ['ifname', 'inet_proto', 'inet_service'],
    ['ipv6_addr', 'inet_service'],
  ),
  portForwardsAt6: map(
    'port_forwards_at6',
    ['ifname', 'ipv6_addr', 'inet_proto', 'inet_service'],
    ['ipv6_addr', 'inet_service'],
  ),
  /** By a guest's link, to the name server that all its lookups go to. */
  dnsRedirect4: map('dns_redirect4', ['ifname'], ['ipv4_addr']),
  dnsRedirect6: map('dns_redirect6', ['ifname'], ['ipv6_addr']),
} as const satisfies Readonly<Record<string, SetSpec>>;

const BY_NAME: ReadonlyMap<string, SetSpec> = new Map(Object.values(SETS).map((spec) => [spec.name, spec]));

export const ALL_SETS: readonly SetSpec[] = [...BY_NAME.values()];

/** The set of that name; a name that is none of ours is a fault of the caller. */
export function setNamed(name: string): SetSpec {
  const spec = BY_NAME.get(name);
  if (spec === undefined) throw new Error(`no set named ${name} in the table`);
  return spec;
}

function set(name: string, ...fields: readonly Field[]): SetSpec {
  return { name, kind: 'set', fields, data: [] };
}

function vmap(name: string, ...fields: readonly Field[]): SetSpec {
  return { name, kind: 'vmap', fields, data: [] };
}

function map(name: string, fields: readonly Field[], data: readonly Field[]): SetSpec {
  return { name, kind: 'map', fields, data };
}
