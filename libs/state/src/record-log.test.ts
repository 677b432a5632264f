import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordLog } from './record-log';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pp-log-'));
  path = join(dir, 'state', 'log');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** "=1 +2": what a fresh look at the file finds. */
function words(): string {
  const log = new RecordLog(path);
  const { records } = log.load();
  log.close();
  return records
    .map(({ kind, value }) => `${kind === 'whole' ? '=' : '+'}${JSON.stringify(value)}`)
    .join(' ');
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
const oldPath = (): string => `${path}.old`;

const written = (...steps: ((log: RecordLog) => void)[]): void => {
  const log = new RecordLog(path);
  for (const step of steps) step(log);
  log.close();
};
const add =
  (value: number, durable: 'now' | 'later' = 'now') =>
  (log: RecordLog): void => {
    log.append(value, durable);
  };
const begin =
  (value: number) =>
  (log: RecordLog): void => {
    log.restart(value);
  };

test.each([
  { name: 'a new log is empty', in: [], want: '' },
  { name: 'records come back in order', in: [begin(0), add(1), add(2, 'later')], want: '=0 +1 +2' },
  { name: 'a restart stands for all before it', in: [begin(0), add(1), begin(5), add(6)], want: '=5 +6' },
  { name: 'without a beginning', in: [add(1)], want: '+1' },
])('$name', ({ in: steps, want }) => {
  written(...steps);
  expect(words()).toBe(want);
});

test('cut at any byte: a prefix of the records, from the former file where the beginning is lost', () => {
  written(begin(0), add(1), add(2), begin(5), add(6), add(7));
  const whole = readFileSync(path);
  const seen = new Set<string>();
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    seen.add(words());
    expect(words()).toBe([...seen].at(-1)); // what was torn off took nothing with it
    written(add(8)); // and it can be written on
    expect(words()).toMatch(/ \+8$/);
  }
  expect([...seen]).toEqual(['=0 +1 +2', '=5', '=5 +6', '=5 +6 +7']);
});

test('damage at any byte costs one line, or the two that a lost line feed joins', () => {
  written(begin(0), add(1), begin(5), add(6), add(7));
  const whole = readFileSync(path);
  const allowed = ['=0 +1 +6 +7', '=5 +7', '=5 +6', '=0 +1 +7', '=5'];
  for (let at = 0; at < whole.length; at++) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(path, bytes);
    expect(allowed).toContain(words());
  }
});

test('it says what it lost', () => {
  written(begin(0), add(1));
  const bytes = readFileSync(path);
  bytes[3] = (bytes[3] ?? 0) ^ 1;
  writeFileSync(path, Buffer.concat([bytes, Buffer.from('abc')]));
  const log = new RecordLog(path);
  const { damaged, torn } = log.load();
  expect({ damaged, torn, wholeSize: log.wholeSize }).toEqual({ damaged: 1, torn: 3, wholeSize: 0 });
  log.close();
});

test('restarts leave two files, and no descriptors', () => {
  const log = new RecordLog(path);
  const descriptors = openDescriptors();
  for (let n = 0; n < 10; n++) log.restart(n);
  expect([readdirSync(join(dir, 'state')).sort(), openDescriptors()]).toEqual([
    ['log', 'log.old'],
    descriptors,
  ]);
  log.close();
});

test('a disk without room for a new file: the former one goes on, and no descriptor is lost', () => {
  written(begin(0), add(1));
  const log = new RecordLog(path);
  const descriptors = openDescriptors();
  mkdirSync(oldPath());
  writeFileSync(join(oldPath(), 'in the way'), '');
  expect(() => {
    log.restart(2);
  }).toThrow();
  log.append(3, 'now');
  expect([words(), openDescriptors(), log.size]).toEqual([
    '=0 +1 +3',
    descriptors,
    readFileSync(path).length,
  ]);
  expect(readdirSync(join(dir, 'state')).sort()).toEqual(['log', 'log.old']);
  log.close();
});

test('what was loaded is not kept', () => {
  written(begin(0), add(1));
  const log = new RecordLog(path);
  expect([log.load().records.length, log.load().records.length, log.wholeSize > 0]).toEqual([2, 0, true]);
  log.close();
});

test('size is that of the file', () => {
  const log = new RecordLog(path);
  log.restart(1);
  log.append({ text: 'ü' }, 'later');
  expect(log.size).toBe(readFileSync(path).length);
  log.close();
  const again = new RecordLog(path);
  expect(again.size).toBe(readFileSync(path).length);
  again.close();
});
