import { sourceOfMark, sourceToProto } from '@pp/datapath';
import type { CountedElement, Json } from '@pp/ports';
import { hourOf, monthOf, Periods } from './periods';
import {
  elementFromJson,
  elementToJson,
  rowFromJson,
  rowToJson,
  type AccountedElement,
  type CountedUplink,
  type HistoryRecord,
  type RawElement,
  type RawRow,
} from './record';
import { TrafficTable, type TrafficRow } from './traffic-table';

/** Times at which the kernel's table was found gone or damaged. */
export interface Losses {
  readonly count: number;
  /** Of the last one, in ms since 1970; null: never. */
  readonly lastAt: number | null;
  /** Of the last one: what passed in this time before it may not be counted. */
  readonly unseenMs: number;
}

interface Counted {
  readonly bytes: bigint;
  readonly packets: bigint;
}

/**
 * All that is known of traffic: a pure fold over the records of the history. A sample adds what its elements have more than when they were
 * last seen, so a record that comes twice adds nothing, and one that was lost is made up for by the next. Elements of another run of
 * the kernel's table start from zero. An element that has less than before was tampered with: it adds nothing, since nobody can tell
 * what it would have been.
 */
export class Ledger {
  #run = '';
  /** BOUNDED: by the sizes of the kernel's sets. */
  readonly #last = new Map<string, CountedElement>();
  #totals = new TrafficTable();
  readonly #months = Periods.months();
  readonly #hours = Periods.hours();
  #uplinks: readonly CountedUplink[] = [];
  #losses: Losses = { count: 0, lastAt: null, unseenMs: 0 };

  /** Since counting began on this host. */
  get totals(): TrafficTable {
    return this.#totals;
  }

  get months(): Periods {
    return this.#months;
  }

  get hours(): Periods {
    return this.#hours;
  }

  /** As last recorded. */
  get uplinks(): readonly CountedUplink[] {
    return this.#uplinks;
  }

  get losses(): Losses {
    return this.#losses;
  }

  /** The elements that are not as the last sample had them. */
  changed(run: string, elements: readonly CountedElement[]): readonly CountedElement[] {
    if (run !== this.#run) return elements.filter(({ packets }) => packets > 0n);
    return elements.filter((element) => {
      const last = this.#last.get(element.key);
      return last === undefined
        ? element.packets > 0n
        : last.bytes !== element.bytes || last.packets !== element.packets;
    });
  }

  /** Some have less than the last sample had: somebody has set them to zero, or deleted them and they came again. */
  isReset(run: string, elements: readonly CountedElement[]): boolean {
    if (run !== this.#run) return false;
    return elements.some(({ key, bytes, packets }) => {
      const last = this.#last.get(key);
      return last !== undefined && (bytes < last.bytes || packets < last.packets);
    });
  }

  apply(record: HistoryRecord): void {
    switch (record.do) {
      case 'sample':
        this.#begin(record.run);
        for (const element of record.elements) this.#count(element, record.at);
        return;
      case 'forget':
        if (record.run === this.#run) for (const element of record.elements) this.#last.delete(element.key);
        return;
      case 'uplinks':
        this.#uplinks = record.uplinks;
        return;
      case 'loss':
        this.#losses = { count: this.#losses.count + 1, lastAt: record.at, unseenMs: record.unseenMs };
        return;
    }
  }

  /** All of it, for one record of the history. */
  toJson(): Json {
    const rows = (table: TrafficTable): RawRow[] => Array.from(table.rows(), rowToJson);
    const periods = (all: Periods): [string, RawRow[]][] =>
      Array.from(all.entries(), ([name, table]) => [name, rows(table)]);
    const whole: Whole = {
      version: VERSION,
      run: this.#run,
      last: [...this.#last.values()].map(elementToJson),
      uplinks: this.#uplinks.map(({ ifname, vpn }) => [ifname, vpn]),
      losses: this.#losses,
      totals: rows(this.#totals),
      months: periods(this.#months),
      hours: periods(this.#hours),
    };
    return whole as unknown as Json;
  }

  /** Of what `toJson` made; null: of a version that this one does not know. */
  static fromJson(json: Json): Ledger | null {
    const whole = json as unknown as Whole;
    if (whole.version !== VERSION) return null;
    const ledger = new Ledger();
    ledger.#run = whole.run;
    for (const raw of whole.last) {
      const element = elementFromJson(raw);
      ledger.#last.set(element.key, element);
    }
    ledger.#uplinks = whole.uplinks.map(([ifname, vpn]) => ({ ifname, vpn }));
    ledger.#losses = whole.losses;
    ledger.#totals = tableOf(whole.totals);
    for (const [name, rows] of whole.months) ledger.#months.set(name, tableOf(rows));
    for (const [name, rows] of whole.hours) ledger.#hours.set(name, tableOf(rows));
    return ledger;
  }

  #begin(run: string): void {
    if (run === this.#run) return;
    this.#run = run;
    this.#last.clear();
  }

  #count(element: AccountedElement, at: number): void {
    const { key, set, ifname, uplink, mark, family } = element;
    const { bytes, packets } = increase(this.#last.get(key), element);
    this.#last.set(key, {
      key,
      set,
      ifname,
      uplink,
      mark,
      family,
      bytes: element.bytes,
      packets: element.packets,
    });
    if (packets === 0n) return;
    const source = sourceToProto(sourceOfMark(mark));
    const row = { guest: element.guest, uplink: element.device, source, family };
    const direction = set.endsWith('rx') ? 'rx' : 'tx';
    for (const table of [this.#totals, this.#months.at(monthOf(at)), this.#hours.at(hourOf(at))])
      table.add(row, direction, bytes, packets);
  }
}

const VERSION = 1;

interface Whole {
  readonly version: number;
  readonly run: string;
  readonly last: readonly RawElement[];
  readonly uplinks: readonly (readonly [string, boolean])[];
  readonly losses: Losses;
  readonly totals: readonly RawRow[];
  readonly months: readonly (readonly [string, readonly RawRow[]])[];
  readonly hours: readonly (readonly [string, readonly RawRow[]])[];
}

const NOTHING: Counted = { bytes: 0n, packets: 0n };

function increase(before: Counted | undefined, now: Counted): Counted {
  if (before === undefined) return now;
  const [bytes, packets] = [now.bytes - before.bytes, now.packets - before.packets];
  return bytes < 0n || packets < 0n ? NOTHING : { bytes, packets };
}

const tableOf = (rows: readonly RawRow[]): TrafficTable =>
  new TrafficTable(rows.map((row): TrafficRow => rowFromJson(row)));
