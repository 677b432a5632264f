import type { Journal, Json } from '@pp/ports';
import { bigintOf } from './decimal';
import { StoreFault, type Batch, type StateStore, type Total } from './state-store';

/** Whether a journal has nothing but entries of a JournalStore. */
export const isStore = (journal: Pick<Journal, 'load'>): boolean =>
  [...journal.load().entries.keys()].every((name) => /^\["(writer|total)",/.test(name));

/** `memory:` and `file:` in one: totals in this process, each change in a journal. */
export class JournalStore implements StateStore {
  readonly #journal: Pick<Journal, 'load' | 'begin' | 'commit' | 'close'>;

  constructor(journal: Pick<Journal, 'load' | 'begin' | 'commit' | 'close'>) {
    this.#journal = journal;
  }

  add({ host, writer, sequence, deltas }: Batch): Promise<'added' | 'known'> {
    const { entries } = this.#journal.load();
    const writerKey = JSON.stringify(['writer', writer]);
    if (Number(entries.get(writerKey) ?? 0) >= sequence) return Promise.resolve('known');
    const put = new Map<string, Json>([[writerKey, sequence]]);
    for (const { month, key, amount } of deltas) {
      const totalKey = JSON.stringify(['total', month, host, key]);
      put.set(totalKey, String(bigintOf(put.get(totalKey) ?? entries.get(totalKey)) + amount));
    }
    return this.#write(put).then(() => 'added');
  }

  totals(month: string): Promise<readonly Total[]> {
    const rows = this.#rows().filter((row) => row.month === month);
    return Promise.resolve(rows.map(({ host, key, amount }) => ({ host, key, amount })));
  }

  months(): Promise<readonly string[]> {
    return Promise.resolve([...new Set(this.#rows().map(({ month }) => month))].sort());
  }

  close(): Promise<void> {
    this.#journal.close();
    return Promise.resolve();
  }

  #write(put: ReadonlyMap<string, Json>): Promise<void> {
    try {
      this.#journal.begin({ put, del: [] });
      this.#journal.commit();
      return Promise.resolve();
    } catch (cause) {
      return Promise.reject(new StoreFault('the file of the store cannot be written', { cause }));
    }
  }

  #rows(): readonly (Total & { readonly month: string })[] {
    return [...this.#journal.load().entries].flatMap(([name, value]) => {
      const [kind, month = '', host = '', key = ''] = JSON.parse(name) as readonly string[];
      return kind === 'total' ? [{ month, host, key, amount: bigintOf(value) }] : [];
    });
  }
}
