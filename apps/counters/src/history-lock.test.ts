import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@pp/base/testing';
import { systemClock } from '@pp/daemon';
import { loadNative } from '@pp/native';
import { lockHistory } from './history-lock';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pp-lock-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const log = new MemoryLog();
const serving = { native: loadNative(), clock: systemClock };
const SHORT = 'history';
/** Longer than the path of a socket may be. */
const LONG = join('long'.repeat(20), 'longer'.repeat(20));

test.each([{ directory: SHORT }, { directory: LONG }])('one at a time: $directory', ({ directory }) => {
  const path = join(root, directory);
  const first = lockHistory(serving, path, log);
  expect(() => lockHistory(serving, path, log)).toThrow(
    `another counters writes the history in ${path}; stop it, or use another --history-dir`,
  );
  const other = lockHistory(serving, join(root, 'other'), log);
  first.close();
  other.close();
  const second = lockHistory(serving, path, log);
  second.close();
  expect(readdirSync(path)).toEqual([]);
});

test('what a killed process left locks nobody out', async () => {
  const path = join(root, SHORT);
  mkdirSync(path);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(root, 'dying'), resolve));
  linkSync(join(root, 'dying'), join(path, 'history.sock'));
  await new Promise((resolve) => server.close(resolve));
  const lock = lockHistory(serving, path, log);
  lock.close();
  expect(readdirSync(path)).toEqual([]);
});

test('a place where no directory can be is said as the history is', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => lockHistory(serving, join(root, 'file'), log)).toThrow(
    `the history ${root}/file/traffic cannot be opened (EEXIST); run counters as root, or use another --history-dir`,
  );
});
