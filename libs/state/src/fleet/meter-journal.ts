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
/** Deltas in one batch: some 200 kB. */
const MAX_BATCH = 2000;

/** Keys of the journal's entries; "seen" and "waiting" have month and key after them. */
const [WRITER, SENT, SEQUENCE, SEEN, WAITING] = ['writer', 'sent', 'sequence', 'seen', 'waiting'];

const entryOf = (kind: string, month: string, key: string): string => JSON.stringify([kind, month, key]);

/**
 * What was seen of each total, what of it waits, and the batch that is on its way: each step of theirs is one change of the journal. Totals of
 * the newest month and the one before are followed, earlier ones are history.
 */
export class MeterJournal {
  readonly #journal: Journal;
  readonly #writer: string;
  /** BOUNDED: MAX_TOTALS. */
  readonly #seen = new Map<string, bigint>();
  readonly #waiting = new Map<string, Delta>(); // BOUNDED: by what was seen
  /** Of all that were seen. */
  #newest = '0001-01';
  #sequence: number;
  #sent: readonly Delta[] | null;
  overflow = 0;

  constructor(journal: Journal, newId: () => string) {
    this.#journal = journal;
    const { entries } = journal.load();
    this.#sequence = Number(entries.get(SEQUENCE) ?? 0);
    this.#sent = sentOf(entries.get(SENT));
    for (const [name, value] of entries) this.#restore(name, value);
    const writer = entries.get(WRITER);
    this.#writer = typeof writer === 'string' ? writer : newId();
    if (writer === undefined) this.#write(new Map([[WRITER, this.#writer]]), []);
  }

  get waiting(): number {
    return this.#waiting.size + (this.#sent?.length ?? 0);
  }

  record(readings: Iterable<Reading>): void {
    const all = [...readings];
    const newest = all.reduce((latest, { month }) => (month > latest ? month : latest), this.#newest);
    const floor = monthBefore(newest);
    const grown = all.filter(
      ({ month, key, value }) => month >= floor && value > (this.#seen.get(entryOf(SEEN, month, key)) ?? 0n),
    );
    const past =
      newest === this.#newest ? [] : [...this.#seen.keys()].filter((name) => monthOf(name) < floor);
    const room = MAX_TOTALS - (this.#seen.size - past.length);
    const fresh = grown.filter(({ month, key }) => !this.#seen.has(entryOf(SEEN, month, key)));
    const held = new Set(fresh.slice(Math.max(0, room)));
    this.#take(
      grown.filter((reading) => !held.has(reading)),
      past,
    );
    this.#newest = newest;
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

  #take(grown: readonly Reading[], past: readonly string[]): void {
    if (grown.length + past.length === 0) return;
    const put = new Map<string, Json>();
    const waiting: Delta[] = [];
    for (const { month, key, value } of grown) {
      const seenName = entryOf(SEEN, month, key);
      const name = entryOf(WAITING, month, key);
      const amount = (this.#waiting.get(name)?.amount ?? 0n) + value - (this.#seen.get(seenName) ?? 0n);
      put.set(seenName, String(value)).set(name, String(amount));
      waiting.push({ month, key, amount });
    }
    this.#write(put, past);
    for (const { month, key, value } of grown) this.#seen.set(entryOf(SEEN, month, key), value);
    for (const delta of waiting) this.#waiting.set(entryOf(WAITING, delta.month, delta.key), delta);
    for (const name of past) this.#seen.delete(name);
  }

  #restore(name: string, value: Json): void {
    if (!name.startsWith('[')) return;
    const [kind, month = '', key = ''] = JSON.parse(name) as readonly string[];
    const amount = bigintOf(value);
    if (month > this.#newest) this.#newest = month;
    if (kind === SEEN) this.#seen.set(name, amount);
    else this.#waiting.set(name, { month, key, amount });
  }

  #write(put: ReadonlyMap<string, Json>, del: readonly string[]): void {
    this.#journal.begin({ put, del });
    this.#journal.commit();
  }
}

const monthOf = (name: string): string => (JSON.parse(name) as readonly string[])[1] ?? '';

/** "2026-01" gives "2025-12". */
function monthBefore(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const before = year * 12 + number - 2;
  return `${String(Math.floor(before / 12)).padStart(4, '0')}-${String((before % 12) + 1).padStart(2, '0')}`;
}

const deltaToJson = ({ month, key, amount }: Delta): Json => [month, key, String(amount)];

function sentOf(value: Json | undefined): readonly Delta[] | null {
  if (value === undefined) return null;
  return (value as readonly (readonly [string, string, string])[]).map(([month, key, amount]) => ({
    month,
    key,
    amount: BigInt(amount),
  }));
}
