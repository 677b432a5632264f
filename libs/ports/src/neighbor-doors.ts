/** A route to one address on a segment. */
export interface HostRoute {
  /** IPv6 address as text, without length. */
  readonly address: string;
  readonly ifindex: number;
  /** Preferred source of the host's own packets, or null. */
  readonly source: string | null;
}

/** The /128 routes of one service, told from all others by their protocol number. */
export interface HostRoutes {
  /** Those that are there now, also from before a restart. */
  list(): Promise<readonly HostRoute[]>;
  /** Each on its own; the result says which failed, with the kernel's reason. Deleting the absent is no failure. */
  change(add: readonly HostRoute[], del: readonly HostRoute[]): Promise<readonly RouteFault[]>;
}

export interface RouteFault {
  readonly route: HostRoute;
  readonly reason: string;
}

/**
 * Keeps the kernel from routing what the proxy passes on: neighbour discovery that is not for this host ("beyond scope" errors, hop
 * limits counted down), or all IPv6 that is not.
 */
export interface NeighborGuard {
  /** Guards exactly these interfaces, by name; what an earlier process left is replaced. */
  protect(ifnames: readonly string[], from: 'neighbor discovery' | 'all ipv6'): Promise<void>;
  /** Takes it all away. */
  remove(): Promise<void>;
}

/** Multicast groups of this host, per interface: a switch that snoops sends us only what we are a member of. */
export interface GroupMemberships {
  /** False where the kernel refuses: too many, or the interface is gone. */
  join(ifindex: number, group: Uint8Array): boolean;
  leave(ifindex: number, group: Uint8Array): void;
  close(): void;
}
