/** A link that is not ours, as the kernel has it; or Android's management bridge, by which its own VPN may be the host's. */
export interface LinkView {
  readonly ifname: string;
  readonly ifindex: number;
  /** IFLA_INFO_KIND ("veth", "wireguard", "tun"), or null for a device of a driver. */
  readonly kind: string | null;
  /** ARPHRD_* (linux/if_arp.h): 1 Ethernet, 512 PPP, 65534 none. */
  readonly type: number;
  readonly loopback: boolean;
  /** Administratively up. */
  readonly up: boolean;
  /** IFF_LOWER_UP and operational: frames pass. */
  readonly running: boolean;
  readonly multicast: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** There is a device behind it (IFLA_PARENT_DEV_NAME). */
  readonly physical: boolean;
  /** It is a port of a bridge or bond. */
  readonly enslaved: boolean;
}

/** An address of such a link that may be used (RFC 4862 §5.4); link-local ones too. */
export interface AddressView {
  readonly ifindex: number;
  readonly cidr: string;
}

/** A unicast route of table main through such a link, or of a table that every packet meets before. */
export interface RouteView {
  readonly family: 'ipv4' | 'ipv6';
  readonly dst: string;
  readonly via: string | null;
  readonly ifindex: number;
  readonly src: string | null;
  readonly metric: number;
  /** It is not main's: it beats all that are. */
  readonly beatsMain?: true;
}

/** A rule of somebody else that chooses a table by the packet mark: `mark & mask === value`. */
export interface MarkRuleView {
  readonly family: 'ipv4' | 'ipv6';
  readonly priority: number;
  readonly value: number;
  readonly mask: number;
}

/** An interface that a connection manager calls an uplink. */
export interface ManagedUplink {
  readonly ifname: string;
  readonly kind: 'ethernet' | 'wifi' | 'cellular' | 'vpn';
  /** Next hops of default routes that the kernel's main table may not have. */
  readonly gateways: readonly { readonly family: 'ipv4' | 'ipv6'; readonly address: string }[];
  /** Best first; as resolv.conf(5) writes them. */
  readonly nameservers: readonly string[];
}

/** What a connection manager says of the host's network. */
export interface ManagedNetwork {
  readonly uplinks: readonly ManagedUplink[];
  /** Names of those that the default network uses, best first; no other is a default, whatever routes it has. */
  readonly best: readonly string[];
}

/** The host's own network: what is there without us. */
export interface NetworkView {
  readonly links: readonly LinkView[];
  readonly addresses: readonly AddressView[];
  readonly routes: readonly RouteView[];
  /** The lowest priority of a routing rule that every packet meets, without local's, main's and ours; absent: there is none. */
  readonly firstRule?: number;
  readonly markRules: readonly MarkRuleView[];
  /** Present where a table has more routes than so many: here are its default routes and links' own networks alone. */
  readonly routesAbove?: number;
  /** Present where a connection manager decides what is an uplink. */
  readonly managed?: ManagedNetwork;
}

/** Tells how the host's network looks, at once and after each change (changes that come together are told once). Our own links never show, but for that bridge. */
export interface NetworkNews {
  start(onView: (view: NetworkView) => void): Promise<void>;
  close(): void;
}
