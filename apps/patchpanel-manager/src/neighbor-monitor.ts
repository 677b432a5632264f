import { seconds, type Cancel, type Clock } from '@pp/base';
import type { NeighborCache, NeighborState, Reachability } from '@pp/ports';
import { watchedNeighbors, type WatchedNeighbor } from './domain/watched-neighbors';
import type { Uplink } from './domain/uplink';
import type { Observer } from './reconciler';

export interface NeighborMonitorParts {
  readonly cache: NeighborCache;
  readonly clock: Clock;
  /** Uplinks of which kind. */
  readonly which: 'wifi' | 'all';
  /** Those that the host asks now. */
  readonly nameservers: () => readonly string[];
  /** A watched neighbour can be reached again, or not any more. */
  readonly onEvent: (neighbor: WatchedNeighbor, event: 'REACHABLE' | 'FAILED') => void;
}

interface Watched {
  readonly neighbor: WatchedNeighbor;
  /** Of the kernel; null: not heard of yet. */
  state: Reachability | null;
  /** What clients were told last; null: nothing. */
  told: 'REACHABLE' | 'FAILED' | null;
}

/** Entries that are not used grow stale, and nobody would notice that they are gone. */
const PROBE_EVERY = seconds(60);

/** Follows the neighbour cache for the addresses of interest, and keeps the kernel asking for them (spec/patchpanel.md 13.5). */
export class NeighborMonitor {
  readonly #parts: NeighborMonitorParts;
  /** BOUNDED: by the gateways and name servers of the uplinks. */
  #watched = new Map<string, Watched>();
  #timer: Cancel | null = null;

  constructor(parts: NeighborMonitorParts) {
    this.#parts = parts;
  }

  start(): Promise<void> {
    return this.#parts.cache.start((neighbor) => {
      this.#hear(neighbor);
    });
  }

  /** From now on the neighbours on these uplinks. */
  follow(uplinks: readonly Uplink[]): void {
    const { nameservers, which } = this.#parts;
    this.watch(watchedNeighbors(uplinks, nameservers(), which));
  }

  /** From now on these. What is known of an address stays known, but clients are told anew. */
  watch(neighbors: readonly WatchedNeighbor[]): void {
    const before = this.#watched;
    const now = [...before.values()].map(({ neighbor }) => neighbor);
    if (JSON.stringify(now) === JSON.stringify(neighbors)) return;
    this.#watched = new Map(
      neighbors.map((neighbor) => {
        const state = before.get(keyOf(neighbor))?.state ?? null;
        return [keyOf(neighbor), { neighbor, state, told: null }];
      }),
    );
    if (this.#watched.size === 0) this.#stopTimer();
    else this.#timer ??= this.#startTimer();
    if (neighbors.some((neighbor) => !before.has(keyOf(neighbor)))) this.#parts.cache.read();
  }

  close(): void {
    this.#stopTimer();
    this.#parts.cache.close();
  }

  #hear(heard: NeighborState): void {
    const watched = this.#watched.get(keyOf(heard));
    if (watched === undefined) return;
    const isNew = watched.state === null && (heard.state === 'stale' || heard.state === 'reachable');
    watched.state = heard.state === 'gone' ? null : heard.state;
    if (isNew) this.#parts.cache.probe(heard.ifindex, heard.address);
    if (heard.state === 'reachable') this.#tell(watched, 'REACHABLE');
    if (heard.state === 'failed') this.#tell(watched, 'FAILED');
  }

  #tell(watched: Watched, event: 'REACHABLE' | 'FAILED'): void {
    if (watched.told === event) return;
    watched.told = event;
    this.#parts.onEvent(watched.neighbor, event);
  }

  #startTimer(): Cancel {
    return this.#parts.clock.after('neighbors.probe', PROBE_EVERY, () => {
      this.#timer = this.#startTimer();
      this.#probe();
    });
  }

  #stopTimer(): void {
    this.#timer?.();
    this.#timer = null;
  }

  #probe(): void {
    const all = [...this.#watched.values()];
    for (const { neighbor, state } of all)
      if (state === 'stale' || state === 'reachable')
        this.#parts.cache.probe(neighbor.ifindex, neighbor.address);
    if (all.some(({ state }) => state === null)) this.#parts.cache.read();
  }
}

/** Lets the monitor follow the uplinks of the world. */
export const monitoring = (monitor: Pick<NeighborMonitor, 'follow'>): Observer => ({
  leaving: () => undefined,
  arrived: (from, to) => {
    if (from.uplinks !== to.uplinks) monitor.follow(to.uplinks);
  },
});

const keyOf = ({ ifindex, address }: { readonly ifindex: number; readonly address: string }): string =>
  `${ifindex} ${address}`;
