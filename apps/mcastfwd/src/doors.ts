import type { Clock, Logger } from '@pp/base';
import type { GroupPorts, InterfaceNews } from '@pp/ports';

/** Everything outside that the forwarder touches. */
export interface Doors {
  readonly ports: GroupPorts;
  readonly interfaces: InterfaceNews;
  readonly clock: Clock;
  readonly log: Logger;
}
