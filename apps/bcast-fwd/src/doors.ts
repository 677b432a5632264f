import type { Clock, Logger } from '@pp/base';
import type { InterfaceNews, PacketPorts, ReplySockets } from '@pp/ports';

/** Everything outside that the relay touches. */
export interface Doors {
  readonly packets: PacketPorts;
  readonly interfaces: InterfaceNews;
  readonly replySockets: ReplySockets;
  readonly clock: Clock;
  readonly log: Logger;
}
