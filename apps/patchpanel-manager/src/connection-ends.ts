import type { Connections } from '@pp/ports';
import { deadConnections } from './domain/dead-connections';
import type { Observer } from './reconciler';

/** Forgets connections that a change of the uplinks has killed, when their new ways are there. */
export const connectionEnds = (connections: Connections): Observer => ({
  leaving: () => undefined,
  arrived: (from, to) => {
    if (from.uplinks === to.uplinks) return;
    const dead = deadConnections(from.uplinks, to.uplinks);
    if (dead.pinned.length + dead.addressed.length > 0) void connections.forget(dead);
  },
});
