import type { Bus } from '@pp/dbus';
import {
  encode,
  NeighborReachabilityEventSignalEventType as EventType,
  NeighborReachabilityEventSignalRole as Role,
} from '@pp/proto';
import type { WatchedNeighbor } from '../domain/watched-neighbors';
import { API, PATH } from './spec';

/** Tells the bus that a gateway or name server can be reached again, or not any more. */
export const neighborAnnouncer =
  (bus: Pick<Bus, 'emitSignal'>) =>
  ({ ifindex, address, role }: WatchedNeighbor, event: 'REACHABLE' | 'FAILED'): void => {
    const signal = { ifindex, ipAddr: address, role: Role[role], type: EventType[event] };
    bus.emitSignal({
      path: PATH,
      interface: API.name,
      member: 'NeighborReachabilityEvent',
      signature: 'ay',
      body: [encode('NeighborReachabilityEventSignal', signal)],
    });
  };
