import { causeChain, type Cancel, type Clock, type Logger, type Millis } from '@pp/base';
import type { Journal } from '@pp/ports';
import { StoreFault, type StateStore } from '../state-store';
import { MeterJournal, type Reading } from './meter-journal';

export interface FleetMeterParts {
  readonly store: StateStore;
  /** This host's own; what waits is in it. */
  readonly journal: Journal;
  readonly host: string;
  /** Random text, for a journal that is new. */
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two deliveries. */
  readonly period: Millis;
}

export interface MeterStatus {
  readonly state: 'ok' | 'degraded';
  /** null: all is well. */
  readonly why: string | null;
  /** Totals that have grown and are not in the store yet. */
  readonly waiting: number;
  /** Batches that the store has taken in this run. */
  readonly delivered: number;
}

/**
 * Brings this host's totals into a store that others share. `record` is local and durable; what has grown waits in the journal, summed up
 * by key, until the store takes it, once. A batch is written down before it is sent and sent unchanged until it is answered, so neither a
 * crash nor a lost answer makes it count twice.
 */
export class FleetMeter {
  readonly #parts: FleetMeterParts;
  readonly #journal: MeterJournal;
  #why: string | null = null;
  #delivered = 0;
  #delivery: Promise<void> | undefined;
  #cancelTick: Cancel = () => undefined;
  #isClosed = false;

  constructor(parts: FleetMeterParts) {
    this.#parts = parts;
    this.#journal = new MeterJournal(parts.journal, parts.newId);
  }

  get status(): MeterStatus {
    const { waiting, overflow } = this.#journal;
    const why =
      this.#why ?? (overflow > 0 ? `${overflow} totals more than the journal may hold wait for room` : null);
    return { state: why === null ? 'ok' : 'degraded', why, waiting, delivered: this.#delivered };
  }

  /**
   * Takes the totals as they are now. Of each, what is more than at the last time is to be delivered; one that is less adds nothing until it
   * is more again. Throws what the journal throws, and then nothing is taken.
   */
  record(readings: Iterable<Reading>): void {
    this.#journal.record(readings);
  }

  /** Delivers now and every period. */
  start(): void {
    void this.deliver().then(() => {
      if (this.#isClosed) return;
      this.#cancelTick = this.#parts.clock.after('fleet.deliver', this.#parts.period, () => {
        this.start();
      });
    });
  }

  /** Delivers what waits, as far as the store takes it; never rejects. Calls at the same time are one. */
  deliver(): Promise<void> {
    this.#delivery ??= this.#deliverAll().finally(() => (this.#delivery = undefined));
    return this.#delivery;
  }

  /** Idempotent. What waits stays in the journal, which is the caller's, as the store is. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTick();
  }

  async #deliverAll(): Promise<void> {
    const { store, host, log } = this.#parts;
    try {
      for (let batch = this.#journal.nextBatch(); batch !== null; batch = this.#journal.nextBatch()) {
        await store.add({ host, ...batch });
        this.#journal.delivered();
        this.#delivered++;
      }
      if (this.#why !== null) log.info('fleet.delivers');
      this.#why = null;
    } catch (fault) {
      const why = fault instanceof StoreFault ? fault.message : causeChain(fault);
      if (this.#why === null) log.warn('fleet.waits', { error: why });
      this.#why = why;
    }
  }
}
