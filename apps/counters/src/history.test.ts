import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@pp/base/testing';
import { RecordLog } from '@pp/state';
import { Ledger } from './core/ledger';
import { recordToJson, type HistoryRecord } from './core/record';
import type { HistoryFile } from './doors';
import { History } from './history';

const loss = (at: number): HistoryRecord => ({ do: 'loss', at, unseenMs: 1 });

/** What a ledger says that has heard of so many losses. */
function ledgerOf(losses: number): Ledger {
  const ledger = new Ledger();
  for (let at = 1; at <= losses; at++) ledger.apply(loss(at));
  return ledger;
}

let directory = '';
let log = new MemoryLog();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pp-history-'));
  log = new MemoryLog();
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const file = (): RecordLog => new RecordLog(join(directory, 'traffic'));
const count = (history: History): number => history.ledger.losses.count;

/** A file on a disk that is full while `isFull`. */
class FullDisk implements HistoryFile {
  isFull = false;
  readonly #file = file();
  readonly load = (): ReturnType<RecordLog['load']> => this.#file.load();
  readonly close = (): void => {
    this.#file.close();
  };

  get size(): number {
    return this.#file.size;
  }

  get wholeSize(): number {
    return this.#file.wholeSize;
  }

  append(...line: Parameters<RecordLog['append']>): void {
    this.#refuse();
    this.#file.append(...line);
  }

  restart(...whole: Parameters<RecordLog['restart']>): void {
    this.#refuse();
    this.#file.restart(...whole);
  }

  #refuse(): void {
    if (this.isFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  }
}

test.each([
  { name: 'a new file', write: () => undefined, want: 0 },
  {
    name: 'records alone, as of a file whose beginning was lost',
    write: (to: RecordLog) => {
      to.append(recordToJson(loss(1)), 'now');
    },
    want: 1,
  },
  {
    name: 'a whole stands for all before it, and records come on top of it',
    write: (to: RecordLog) => {
      to.append(recordToJson(loss(1)), 'now');
      to.restart(ledgerOf(5).toJson());
      to.append(recordToJson(loss(6)), 'now');
    },
    want: 6,
  },
])('$name: what a start knows, and the next one', ({ write, want }) => {
  const before = file();
  write(before);
  before.close();
  for (let run = 0; run < 2; run++) {
    const history = new History(file(), log);
    expect(count(history)).toBe(want);
    history.close();
  }
  expect(log.lines).toEqual([]);
});

test('a file of a later version is refused', () => {
  const later = file();
  later.restart({ version: 2 });
  later.close();
  expect(() => new History(file(), log)).toThrow('the history was written by a later version of counters');
});

test('what a full disk does not take is written when it takes something again, and at the end', () => {
  const disk = new FullDisk();
  const history = new History(disk, log);
  history.record(loss(1), 'now');
  disk.isFull = true;
  history.record(loss(2), 'now');
  history.record(loss(3), 'now');
  expect([count(history), history.fault]).toEqual([3, 'ENOSPC: no space left on device']);
  disk.isFull = false;
  history.record(loss(4), 'now');
  expect(history.fault).toBeNull();
  disk.isFull = true;
  history.record(loss(5), 'now');
  disk.isFull = false;
  history.close();
  expect(log.lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'warn history.unwritten',
    'info history.written',
    'warn history.unwritten',
    'info history.written',
  ]);
  const again = new History(file(), log);
  expect(count(again)).toBe(5);
  again.close();
});

test('however much is recorded, the file stays small, and a start knows all of it', () => {
  const history = new History(file(), log);
  for (let at = 1; at <= 60_000; at++) history.record(loss(at), 'later');
  expect(history.size).toBeLessThan(1.2e6);
  history.close();
  const again = new History(file(), log);
  expect(count(again)).toBe(60_000);
  again.close();
});
