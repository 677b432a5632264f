import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JOURNAL_ROWS, plain, put } from '@pp/ports/testing';
import { FileJournal } from './file-journal';
import { encodeLine } from './record-log';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pp-journal-'));
  path = join(dir, 'state', 'journal');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

function linkOver(target: string, at: string): void {
  rmSync(at, { force: true });
  symlinkSync(target, at);
}

const reopened = (): FileJournal => new FileJournal(path);

test.each(JOURNAL_ROWS)('$name, also when opened anew', ({ write, want }) => {
  const journal = new FileJournal(path);
  write(journal);
  expect(plain(journal.load())).toEqual(want);
  journal.close();
  const again = reopened();
  expect(plain(again.load())).toEqual(want);
  again.close();
});

test('a file cut at any byte loads as some state that was once true', () => {
  const journal = new FileJournal(path);
  const truths = [plain(journal.load())];
  for (const change of [put({ a: 1 }), put({ b: 'two' }, 'a'), put({ a: [3] })]) {
    journal.begin(change);
    truths.push(plain(journal.load()));
    journal.commit();
    truths.push(plain(journal.load()));
  }
  journal.close();
  const whole = readFileSync(path);
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const cut = reopened();
    expect(truths).toContainEqual(plain(cut.load()));
    cut.begin(put({ after: length })); // and it can be written on
    cut.close();
    const again = reopened();
    expect(again.load().entries.get('after')).toBe(length);
    again.close();
  }
});

test.each([
  { name: 'text', holds: 'hello\nworld\n' },
  { name: 'lines without end', holds: 'cafebabe' + ' '.repeat(100) },
  {
    name: 'a history of counters',
    holds: Buffer.from(encodeLine({ kind: 'whole', value: {} })).toString(),
  },
])('a file that holds something else is refused, and stays: $name', ({ holds }) => {
  path = join(dir, 'notes');
  writeFileSync(path, holds);
  const descriptors = openDescriptors();
  expect(reopened).toThrow(`${path} holds something else than a journal, and is left as it is`);
  expect([readFileSync(path, 'utf8'), openDescriptors()]).toEqual([holds, descriptors]);
});

test('a directory that cannot be made is told', () => {
  path = '/proc/x/journal';
  expect(reopened).toThrow(/ENOENT/);
});

test('a damaged line ends the history before it', () => {
  const journal = new FileJournal(path);
  journal.begin(put({ a: 1 }));
  journal.begin(put({ b: 2 }));
  journal.close();
  const bytes = readFileSync(path);
  bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const again = reopened();
  expect(plain(again.load())).toEqual({ entries: { a: 1 }, before: {} });
  again.close();
});

test('a disk without room for a shorter file: the longer one goes on, and no descriptor is lost', () => {
  const journal = new FileJournal(path);
  const [descriptors, text] = [openDescriptors(), 'x'.repeat(10_000)];
  for (let n = 0; n < 100; n++) {
    linkOver('/dev/full', `${path}.new`); // takes no byte: ENOSPC
    journal.begin(put({ n, text }));
    journal.commit();
  }
  expect([openDescriptors(), plain(journal.load()).before]).toEqual([descriptors, null]);
  expect(statSync(path).size).toBeGreaterThan(1_000_000);
  rmSync(`${path}.new`);
  for (let n = 0; n < 100; n++) {
    journal.begin(put({ n, text }));
    journal.commit();
  }
  expect(statSync(path).size).toBeLessThan(400_000); // there was room again
  journal.close();
});

test('the file does not grow with the number of changes', () => {
  const journal = new FileJournal(path);
  for (let n = 0; n < 100; n++) {
    journal.begin(put({ key: 'x'.repeat(10_000), [`n${n % 10}`]: n }));
    journal.commit();
  }
  expect(statSync(path).size).toBeLessThan(400_000);
  journal.close();
  const again = reopened();
  expect(again.load().entries.size).toBe(11);
  expect(again.load().entries.get('n9')).toBe(99);
  again.close();
});

test('it goes on after it was written anew, erased, and written to', () => {
  const journal = new FileJournal(path);
  for (let n = 0; n < 40; n++) {
    journal.begin(put({ key: 'x'.repeat(10_000) }));
    journal.commit();
  }
  expect(statSync(path).size).toBeLessThan(300_000); // it was
  journal.erase();
  journal.begin(put({ z: 0 }));
  journal.close();
  const again = reopened();
  expect(plain(again.load())).toEqual({ entries: { z: 0 }, before: {} });
  again.close();
});
