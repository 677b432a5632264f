/** A group as an operator or the manager wants it. Names may end in `*`: all interfaces that begin so ("vmtap*"). */
export interface DesiredGroup {
  readonly name: string;
  /** null: none, so nobody's router advertisements are passed on. */
  readonly upstream: string | null;
  readonly downstreams: readonly string[];
  /** In bridge mode mDNS and SSDP are left to a service that relays them; default: they are carried as all else. */
  readonly leavesDiscovery?: boolean;
}

/** Says what is to be proxied: the command line once, the manager and operators at any time. All of it, each time. */
export interface DesiredGroups {
  start(onGroups: (groups: readonly DesiredGroup[]) => void): void;
}
