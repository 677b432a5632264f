import type { Family } from '@pp/wire';
import type { ExitOutcome } from './action';
import { DEFAULT_POLICY, mayGo, type Policy, type Purpose } from './policy';
import { Topology, type Exit } from './topology';

/** An exit, and what keeps packets from taking it; null: nothing. */
interface Way {
  readonly exit: Exit;
  readonly closed: 'no-exit' | 'direction' | null;
}

/** The exits that packets of one purpose and family have from an interface. */
export interface Ways {
  readonly all: readonly Way[];
  /** Interfaces of those that are open. */
  readonly ifindexes: readonly number[];
  /** What becomes of a packet that goes out by every open one, as it came or changed. */
  readonly sent: readonly ExitOutcome[];
  readonly changed: readonly ExitOutcome[];
}

/** Which exits packets may take, worked out once for each interface, family and purpose. */
export class WaysTable {
  /** Of an interface, one for each family and purpose. */
  readonly #known = new Map<number, Ways[]>(); // BOUNDED: by the interfaces
  #topology = new Topology([], { links: [], addresses: [] });
  #policy: Policy = DEFAULT_POLICY;

  update(topology: Topology, policy: Policy): void {
    this.#known.clear();
    this.#topology = topology;
    this.#policy = policy;
  }

  from(ifindex: number, family: Family, purpose: Purpose): Ways {
    const place = (family === 'ipv4' ? 0 : 2) + (purpose === 'query' ? 0 : 1);
    let known = this.#known.get(ifindex);
    if (known === undefined) this.#known.set(ifindex, (known = []));
    return (known[place] ??= this.#find(ifindex, family, purpose));
  }

  #find(ifindex: number, family: Family, purpose: Purpose): Ways {
    const all = this.#topology.exits(ifindex).map((exit): Way => {
      if (!exit.segment.speaks[family]) return { exit, closed: 'no-exit' };
      return { exit, closed: mayGo(this.#policy, exit, purpose) ? null : 'direction' };
    });
    return {
      all,
      ifindexes: all.flatMap(({ exit, closed }) => (closed === null ? [exit.segment.ifindex] : [])),
      sent: outcomes(all, 'sent'),
      changed: outcomes(all, 'changed'),
    };
  }
}

/** What becomes of a packet if the open exits do this with it. */
export const outcomes = (all: readonly Way[], ofOpen: ExitOutcome['outcome']): readonly ExitOutcome[] =>
  all.map(({ exit, closed }) => ({ ifname: exit.segment.ifname, outcome: closed ?? ofOpen }));
