import type { Journal, Json } from '@pp/ports';
import { bigintOf } from '../decimal';
import type { Batch, Delta } from '../state-store';

/** A total of this host as it is now; it only grows. */
export interface Reading {
  /** "2026-11". */
  readonly month: string;
  readonly key: string;
  readonly value: bigint;
}

/** Totals that are followed at once. Beyond them the rest waits, uncounted and unlost, until months pass. */
const MAX_TOTALS = 20_000;
/** Months that are followed at once: that which ends, that which begins, and some that never were, after a calendar that ran ahead. */
const MAX_MONTHS = 4;
/** Where there is no room for so many totals. */
const MIN_MONTHS = 2;
/** Deltas in one batch: some 200 kB. */
const MAX_BATCH = 2000;

/** Keys of the journal's entries; "seen" and "waiting" have month and key after them. */
const [WRITER, SENT, SEQUENCE, SEEN, WAITING] = ['writer', 'sent', 'sequence', 'seen', 'waiting'];
const CLOSED = 'closed';

const entryOf = (kind: string, month: string, key: string): string => JSON.stringify([kind, month, key]);

/**
 * What was seen of each total, what of it waits, and the batch that is on its way: each step of theirs is one change of the journal. Where
 * there are too many months the earliest is closed: what was seen of it is forgotten, and what is told of it passed over.
 */
export class MeterJournal {
  readonly #journal: Journal;
  readonly #writer: string;
  /** BOUNDED: MAX_TOTALS. */
  readonly #seen = new Map<string, bigint>();
  readonly #waiting = new Map<string, Delta>(); // BOUNDED: by what was seen
  readonly #months = new Set<string>(); // BOUNDED: MAX_MONTHS
  /** This month and all before it are history. */
  #closed: string;
  #sequence: number;
  #sent: readonly Delta[] | null;
  overflow = 0;

  constructor(journal: Journal, newId: () => string) {
    this.#journal = journal;
    const { entries } = journal.load();
    this.#sequence = Number(entries.get(SEQUENCE) ?? 0);
    this.#sent = sentOf(entries.get(SENT));
    const closed = entries.get(CLOSED);
    this.#closed = typeof closed === 'string' ? closed : '';
    for (const [name, value] of entries) this.#restore(name, value);
    const writer = entries.get(WRITER);
    this.#writer = typeof writer === 'string' ? writer : newId();
    if (writer === undefined) this.#write(new Map([[WRITER, this.#writer]]), []);
  }

  get waiting(): number {
    return this.#waiting.size + (this.#sent?.length ?? 0);
  }

  record(readings: Iterable<Reading>): void {
    const isGrown = ({ month, key, value }: Reading): boolean =>
      month > this.#closed && value > (this.#seen.get(entryOf(SEEN, month, key)) ?? 0n);
    const grown = [...readings].filter(isGrown);
    const closed = this.#closing(grown);
    const past =
      closed === this.#closed ? [] : [...this.#seen.keys()].filter((name) => monthOf(name) <= closed);
    const open = grown.filter(({ month }) => month > closed);
    const fresh = open.filter((reading) => this.#isFresh(reading));
    const room = MAX_TOTALS - (this.#seen.size - past.length);
    const held = new Set(fresh.slice(Math.max(0, room)));
    this.#take(
      open.filter((reading) => !held.has(reading)),
      past,
      closed,
    );
    this.overflow = held.size;
  }

  /** The batch that is on its way, or the next one; null: nothing waits. */
  nextBatch(): Omit<Batch, 'host'> | null {
    if (this.#sent === null) {
      if (this.#waiting.size === 0) return null;
      const deltas = [...this.#waiting.values()].slice(0, MAX_BATCH);
      const names = deltas.map(({ month, key }) => entryOf(WAITING, month, key));
      const sequence = this.#sequence + 1;
      this.#write(
        new Map<string, Json>([
          [SEQUENCE, sequence],
          [SENT, deltas.map(deltaToJson)],
        ]),
        names,
      );
      for (const name of names) this.#waiting.delete(name);
      this.#sequence = sequence;
      this.#sent = deltas;
    }
    return { writer: this.#writer, sequence: this.#sequence, deltas: this.#sent };
  }

  /** The store has it. */
  delivered(): void {
    this.#write(new Map(), [SENT]);
    this.#sent = null;
  }

  /** The month to close so that there are not too many. */
  #closing(grown: readonly Reading[]): string {
    const months = [...new Set([...this.#months, ...grown.map(({ month }) => month)])].sort();
    const fresh = grown.filter((reading) => this.#isFresh(reading));
    const most = this.#seen.size + fresh.length <= MAX_TOTALS ? MAX_MONTHS : MIN_MONTHS;
    return months.at(-1 - most) ?? this.#closed;
  }

  #isFresh({ month, key }: Reading): boolean {
    return !this.#seen.has(entryOf(SEEN, month, key));
  }

  #take(grown: readonly Reading[], past: readonly string[], closed: string): void {
    if (grown.length + past.length === 0) return;
    const put = new Map<string, Json>([[CLOSED, closed]]);
    const waiting: Delta[] = [];
    for (const { month, key, value } of grown) {
      const seenName = entryOf(SEEN, month, key);
      const name = entryOf(WAITING, month, key);
      const amount = (this.#waiting.get(name)?.amount ?? 0n) + value - (this.#seen.get(seenName) ?? 0n);
      put.set(seenName, String(value)).set(name, String(amount));
      waiting.push({ month, key, amount });
    }
    this.#write(put, past);
    for (const { month, key, value } of grown) this.#see(entryOf(SEEN, month, key), month, value);
    for (const delta of waiting) this.#waiting.set(entryOf(WAITING, delta.month, delta.key), delta);
    for (const name of past) this.#seen.delete(name);
    for (const month of this.#months) if (month <= closed) this.#months.delete(month);
    this.#closed = closed;
  }

  #see(name: string, month: string, value: bigint): void {
    this.#seen.set(name, value);
    this.#months.add(month);
  }

  #restore(name: string, value: Json): void {
    if (!name.startsWith('[')) return;
    const [kind, month = '', key = ''] = JSON.parse(name) as readonly string[];
    const amount = bigintOf(value);
    if (kind === SEEN) this.#see(name, month, amount);
    else this.#waiting.set(name, { month, key, amount });
  }

  #write(put: ReadonlyMap<string, Json>, del: readonly string[]): void {
    this.#journal.begin({ put, del });
    this.#journal.commit();
  }
}

const monthOf = (name: string): string => (JSON.parse(name) as readonly string[])[1] ?? '';

const deltaToJson = ({ month, key, amount }: Delta): Json => [month, key, String(amount)];

function sentOf(value: Json | undefined): readonly Delta[] | null {
  if (value === undefined) return null;
  return (value as readonly (readonly [string, string, string])[]).map(([month, key, amount]) => ({
    month,
    key,
    amount: BigInt(amount),
  }));
}
