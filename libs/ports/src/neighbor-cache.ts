/** What the kernel knows of an address on a link: NUD_REACHABLE, NUD_STALE, NUD_FAILED, or something in between; `gone`: nothing. */
export type Reachability = 'reachable' | 'stale' | 'failed' | 'unsure' | 'gone';

export interface NeighborState {
  readonly ifindex: number;
  /** Canonical text. */
  readonly address: string;
  readonly state: Reachability;
}

/** The ARP and neighbour discovery cache of this host. */
export interface NeighborCache {
  /** Tells of each change from now on. */
  start(onState: (neighbor: NeighborState) => void): Promise<void>;
  /** Tells all that is there, again. */
  read(): void;
  /** Makes the kernel ask whether it is still there; of an unknown one nothing happens. */
  probe(ifindex: number, address: string): void;
  /** Idempotent. */
  close(): void;
}
