import type { NeighborCache, NeighborState } from '../neighbor-cache';

/** A cache in the test's hands; what is asked of it is noted. */
export class FakeNeighborCache implements NeighborCache {
  readonly probed: string[] = [];
  reads = 0;
  entries: readonly NeighborState[] = [];
  #onState: ((neighbor: NeighborState) => void) | undefined;

  start(onState: (neighbor: NeighborState) => void): Promise<void> {
    this.#onState = onState;
    return Promise.resolve();
  }

  read(): void {
    this.reads++;
    this.tell(...this.entries);
  }

  probe(ifindex: number, address: string): void {
    this.probed.push(`${address} on ${ifindex}`);
  }

  tell(...neighbors: readonly NeighborState[]): void {
    for (const neighbor of neighbors) this.#onState?.(neighbor);
  }

  close(): void {
    this.#onState = undefined;
  }
}
