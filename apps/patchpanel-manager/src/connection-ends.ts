import type { Connections } from '@pp/ports';
import { deadConnections } from './domain/dead-connections';
import type { Observer } from './reconciler';

/** Forgets connections that a change has killed, or that would outlive what it took away, when the new ways are there. */
export const connectionEnds = (connections: Connections): Observer => ({
  leaving: () => undefined,
  arrived: (from, to) => {
    const dead = deadConnections(from, to);
    if (Object.values(dead).some(({ length }) => length > 0)) void connections.forget(dead);
  },
});
