import { accept, causeChain, refuse, type Checked } from '@pp/base';
import { StoreFault, type FleetMeter, type StateStore, type Total } from '@pp/state';
import { readingsOf, tablesOfFleet } from './core/fleet-keys';
import type { Ledger } from './core/ledger';
import { sumsOf, type ReportRow, type ReportWish } from './core/report';

export interface FleetParts {
  readonly store: StateStore;
  readonly meter: FleetMeter;
  /** This host's name in the fleet. */
  readonly host: string;
  /** Where the store is, without a password. */
  readonly shown: string;
}

/** What this host has to do with others: it delivers its sums into a store that they share, and tells of all of them. */
export class Fleet {
  readonly #parts: FleetParts;
  /** Why the journal of what waits cannot be written; null: it can. */
  #fault: string | null = null;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  /** Local: what has grown is to be delivered. */
  record(ledger: Ledger): void {
    try {
      this.#parts.meter.record(readingsOf(ledger));
      this.#fault = null;
    } catch (fault) {
      if (!(fault instanceof Error && 'code' in fault)) throw fault;
      this.#fault = fault.message;
    }
  }

  /** One sentence each; none: all is well. */
  get warnings(): readonly string[] {
    const { why } = this.#parts.meter.status;
    return [
      ...(this.#fault === null
        ? []
        : [`the journal for the fleet cannot be written: ${this.#fault}; it will be when it can`]),
      ...(why === null ? [] : [`the fleet's store takes nothing: ${why}; what was counted waits here`]),
    ];
  }

  get status(): object {
    const { shown, host, meter } = this.#parts;
    const { waiting, delivered } = meter.status;
    return { fleetStore: shown, fleetHost: host, fleetWaiting: waiting, fleetDelivered: delivered };
  }

  /** Of all hosts, as far as they have delivered; this one has just now, if the store takes it. */
  async report(ledger: Ledger, { month, by }: ReportWish): Promise<Checked<FleetReport>> {
    if (by.hour)
      return refuse('InvalidArgument', 'hours are known by each host alone; ask for them without the fleet');
    if (month !== '' && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
      return refuse('InvalidArgument', `'${month}' is no month; write it as 2026-11`);
    this.record(ledger);
    await this.#parts.meter.deliver();
    try {
      const months = await this.#parts.store.months();
      if (month !== '' && !months.includes(month))
        return refuse('NotFound', `nothing is known of ${month} in the fleet`);
      const totals: Total[] = [];
      for (const each of month === '' ? months : [month])
        totals.push(...(await this.#parts.store.totals(each)));
      return accept({ rows: sumsOf(tablesOfFleet(totals), by), months });
    } catch (fault) {
      if (!(fault instanceof StoreFault)) throw fault;
      return refuse('Failed', `the fleet's store does not answer: ${causeChain(fault)}`);
    }
  }

  /** A last delivery, as far as the store takes it. */
  async close(): Promise<void> {
    const { meter, store } = this.#parts;
    meter.close();
    await meter.deliver();
    await store.close();
  }
}

export interface FleetReport {
  readonly rows: readonly ReportRow[];
  readonly months: readonly string[];
}
