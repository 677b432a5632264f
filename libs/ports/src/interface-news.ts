/** An interface of the host, ours or not. */
export interface InterfaceView {
  readonly ifname: string;
  readonly ifindex: number;
  /** ARPHRD_* (linux/if_arp.h): 1 Ethernet, 772 loopback, 65534 none. */
  readonly type: number;
  /** "veth", "bridge", "tun"; null for a device of a driver. */
  readonly kind: string | null;
  /** Up and operational: frames pass. */
  readonly running: boolean;
  readonly mtu: number;
  /** Link-layer address as text; '' for none. */
  readonly mac: string;
  /** ifindex of the bridge or bond that takes its frames; absent where they come to this host itself. */
  readonly master?: number;
}

/** An address of an interface. */
export interface InterfaceAddress {
  readonly ifindex: number;
  /** With prefix length. */
  readonly cidr: string;
  /** Point to point: the other end's, or what is behind it. */
  readonly peer?: string;
  /** IPv4: the directed broadcast address that is set for it, if one is. */
  readonly broadcast?: string;
  /** False while it is checked for duplicates, or was found to be one. */
  readonly usable: boolean;
  /** It was found to be somebody else's: this host does not have it. */
  readonly duplicate?: true;
}

export interface InterfacesView {
  readonly links: readonly InterfaceView[];
  readonly addresses: readonly InterfaceAddress[];
}

/** Tells all interfaces and their addresses, at once and after each change (changes that come together are told once). */
export interface InterfaceNews {
  start(onView: (view: InterfacesView) => void): Promise<void>;
  /** Idempotent; nothing is told any more. */
  close(): void;
}

/** Whether an interface is meant by a name or by a pattern: "vmtap*" is all that begin so. */
export const matchesIfname = (pattern: string, ifname: string): boolean =>
  pattern.endsWith('*') ? ifname.startsWith(pattern.slice(0, -1)) : pattern === ifname;
