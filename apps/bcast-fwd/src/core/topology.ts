import type { RelayLink } from './link';

/** What of this host a frame may not claim to come from. */
export interface Own {
  /** By `macNumber`. */
  readonly macs: ReadonlySet<number>;
  readonly addresses: ReadonlySet<number>;
}

/** Which links there are, by ifindex, and where what comes in on each goes. */
export interface Topology {
  readonly links: ReadonlyMap<number, RelayLink>;
  readonly exits: ReadonlyMap<number, readonly number[]>;
  readonly own: Own;
}

export const NO_TOPOLOGY: Topology = {
  links: new Map(),
  exits: new Map(),
  own: { macs: new Set(), addresses: new Set() },
};
