import type { Journal, JournalChange, JournalState, Json } from '../journal';

export const put = (entries: Record<string, Json>, ...del: string[]): JournalChange => ({
  put: new Map(Object.entries(entries)),
  del,
});

interface Row {
  readonly name: string;
  readonly write: (journal: Journal) => void;
  readonly want: { readonly entries: Record<string, Json>; readonly before: Record<string, Json> | null };
}

/** What every journal does; `load` is asked of the same journal and, where it persists, of one opened anew. */
export const JOURNAL_ROWS: readonly Row[] = [
  { name: 'a new journal is empty', write: () => undefined, want: { entries: {}, before: null } },
  {
    name: 'a change that was begun counts, and tells what was before',
    write: (journal) => {
      journal.begin(put({ a: 1 }));
    },
    want: { entries: { a: 1 }, before: {} },
  },
  {
    name: 'a committed change counts',
    write: (journal) => {
      journal.begin(put({ a: 1 }));
      journal.commit();
    },
    want: { entries: { a: 1 }, before: null },
  },
  {
    name: 'a begin commits the one before it',
    write: (journal) => {
      journal.begin(put({ a: 1, b: { deep: [1, 'x', null] } }));
      journal.begin(put({ c: true }, 'a'));
    },
    want: {
      entries: { b: { deep: [1, 'x', null] }, c: true },
      before: { a: 1, b: { deep: [1, 'x', null] } },
    },
  },
  {
    name: 'a key put anew holds the new value; deleting the absent is nothing',
    write: (journal) => {
      journal.begin(put({ a: 1 }));
      journal.begin(put({ a: 'line\nbreak "quoted" ü' }, 'absent'));
      journal.commit();
    },
    want: { entries: { a: 'line\nbreak "quoted" ü' }, before: null },
  },
  {
    name: 'of a key that is put anew what was before is known',
    write: (journal) => {
      journal.begin(put({ a: 1, b: 1 }));
      journal.commit();
      journal.begin(put({ a: 2 }));
    },
    want: { entries: { a: 2, b: 1 }, before: { a: 1, b: 1 } },
  },
  {
    name: 'of a key that is dropped and put in one change the put counts, and what was before is known',
    write: (journal) => {
      journal.begin(put({ old: 1 }));
      journal.begin(put({ old: 2, fresh: 3 }, 'old', 'fresh'));
    },
    want: { entries: { old: 2, fresh: 3 }, before: { old: 1 } },
  },
  {
    name: 'erase forgets everything, and writing goes on after it',
    write: (journal) => {
      journal.begin(put({ a: 1 }));
      journal.commit();
      journal.erase();
      journal.begin(put({ z: 0 }));
      journal.commit();
    },
    want: { entries: { z: 0 }, before: null },
  },
];

/** As plain objects, for comparing. */
export const plain = (state: JournalState): Row['want'] => ({
  entries: Object.fromEntries(state.entries),
  before: state.before === null ? null : Object.fromEntries(state.before),
});
