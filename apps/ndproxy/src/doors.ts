import type { Clock, Logger } from '@pp/base';
import type {
  DatapathNews,
  GroupMemberships,
  HostRoutes,
  InterfaceNews,
  NeighborGuard,
  PacketPorts,
} from '@pp/ports';

/** Everything outside that the proxy touches. */
export interface Doors {
  readonly packets: PacketPorts;
  readonly interfaces: InterfaceNews;
  readonly routes: HostRoutes;
  readonly guard: NeighborGuard;
  /** Tells when others take away routes, or the guard. */
  readonly losses: DatapathNews;
  readonly memberships: GroupMemberships;
  /** A kernel setting by its key in sysctl(8) with slashes, or null where there is none. Only read. */
  readonly sysctl: (key: string) => string | null;
  /** Of hash tables; nobody outside may know it. */
  readonly seed: number;
  /** So many bytes that nobody can guess. */
  readonly randomBytes: (n: number) => Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
}
