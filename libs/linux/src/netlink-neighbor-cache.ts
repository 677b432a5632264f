import { KernelError, type Clock, type Logger } from '@pp/base';
import type { Native } from '@pp/native';
import { Monitor, netlinkIn, NetlinkClient, routeSubject, setNeighbor } from '@pp/netlink';
import type { Neighbor, RouteEvent, RouteSnapshot } from '@pp/netlink';
import type { NeighborCache, NeighborState, Reachability } from '@pp/ports';

export interface NetlinkNeighborCacheOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace to watch; default: the process's own. */
  readonly netnsFd?: number;
}

/** The neighbour cache by rtnetlink. */
export class NetlinkNeighborCache implements NeighborCache {
  readonly #monitor: Monitor<RouteSnapshot, RouteEvent>;
  readonly #client: NetlinkClient;
  #onState: (neighbor: NeighborState) => void = () => undefined;

  constructor({ native, clock, log, netnsFd }: NetlinkNeighborCacheOptions) {
    const open = netlinkIn(native, 'route', netnsFd);
    this.#client = new NetlinkClient(open);
    this.#monitor = new Monitor({
      open,
      clock,
      subject: routeSubject(['neighbor']),
      onSnapshot: ({ neighbors }) => {
        for (const neighbor of neighbors) this.#onState(stateOf(neighbor));
      },
      onEvent: (event) => {
        if (event.on !== 'neighbor') return;
        const state = stateOf(event.neighbor);
        this.#onState(event.change === 'del' ? { ...state, state: 'gone' } : state);
      },
      onFault: (fault) => {
        log.warn('neighbors.unread', { error: fault.message });
      },
    });
  }

  async start(onState: (neighbor: NeighborState) => void): Promise<void> {
    this.#onState = onState;
    await this.#monitor.start();
  }

  read(): void {
    this.#monitor.refresh();
  }

  probe(ifindex: number, address: string): void {
    const request = setNeighbor({ ifindex, address, mac: '', state: 'probe' });
    this.#client.request(request).catch((fault: unknown) => {
      if (!(fault instanceof KernelError)) throw fault; // else it went meanwhile, and nobody is to be asked
    });
  }

  close(): void {
    this.#monitor.close();
    this.#client.close();
  }
}

const KNOWN: Partial<Record<Neighbor['state'], Reachability>> = {
  reachable: 'reachable',
  stale: 'stale',
  failed: 'failed',
  none: 'gone',
};

const stateOf = ({ ifindex, address, state }: Neighbor): NeighborState => ({
  ifindex,
  address,
  state: KNOWN[state] ?? 'unsure',
});
