import { TrafficTable } from './traffic-table';

/** "2026-11", UTC; `at` in ms since 1970. */
export const monthOf = (at: number): string => new Date(at).toISOString().slice(0, 7);
/** "2026-11-21T14", UTC. */
export const hourOf = (at: number): string => new Date(at).toISOString().slice(0, 13);

const HOUR_MS = 3_600_000;
export const untilNextHourMs = (at: number): number => HOUR_MS - (at % HOUR_MS);

export const HOURS_KEPT = 40 * 24;
export const MONTHS_KEPT = 36;
/** Of all hours together; beyond it the oldest hours go. */
const HOUR_ROWS_KEPT = 100_000;

/** A table of sums for each period, oldest first. BOUNDED: by `most` periods and `mostRows` rows. */
export class Periods {
  /** In the order in which they were last added to. */
  readonly #tables = new Map<string, TrafficTable>();
  #latest = '';
  readonly #most: number;
  readonly #mostRows: number;

  constructor(most: number, mostRows = Infinity) {
    this.#most = most;
    this.#mostRows = mostRows;
  }

  static hours(): Periods {
    return new Periods(HOURS_KEPT, HOUR_ROWS_KEPT);
  }

  static months(): Periods {
    return new Periods(MONTHS_KEPT);
  }

  /** Oldest first. */
  names(): readonly string[] {
    return [...this.#tables.keys()].sort();
  }

  find(name: string): TrafficTable | undefined {
    return this.#tables.get(name);
  }

  set(name: string, table: TrafficTable): void {
    this.#tables.set(name, table);
  }

  /** Those that were last added to, the last one at the end: the newest, unless the calendar was set back. */
  latest(count: number): readonly string[] {
    return [...this.#tables.keys()].slice(-count);
  }

  /** The table of a period, to add to, made if it is new; then the oldest ones may have to go. */
  at(name: string): TrafficTable {
    const found = this.#tables.get(name);
    if (found !== undefined && name === this.#latest) return found;
    const table = found ?? new TrafficTable();
    this.#tables.delete(name);
    this.#tables.set(name, table);
    this.#latest = name;
    if (found === undefined) this.#prune();
    return table;
  }

  /** As they were last added to, which `set` in this order brings back. */
  entries(): Iterable<readonly [string, TrafficTable]> {
    return this.#tables;
  }

  #prune(): void {
    const names = this.names();
    let rows = [...this.#tables.values()].reduce((sum, { size }) => sum + size, 0);
    for (const name of names.slice(0, -1)) {
      if (this.#tables.size <= this.#most && rows <= this.#mostRows) return;
      rows -= this.#tables.get(name)?.size ?? 0;
      this.#tables.delete(name);
    }
  }
}
