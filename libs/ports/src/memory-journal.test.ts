import { JOURNAL_ROWS, plain } from './testing/journal-contract';
import { MemoryJournal } from './memory-journal';

test.each(JOURNAL_ROWS)('$name', ({ write, want }) => {
  const journal = new MemoryJournal();
  write(journal);
  expect(plain(journal.load())).toEqual(want);
});
