import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from './errno';
import { makeDirectory } from './make-directory';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'made-'));
  mkdirSync(join(dir, 'there'));
  writeFileSync(join(dir, 'file'), '');
  symlinkSync('nowhere', join(dir, 'dangling'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const outcome = (path: string): string => {
  try {
    makeDirectory(path);
    return statSync(path).isDirectory() ? 'made' : 'other';
  } catch (fault) {
    return errnoOf(fault) ?? String(fault);
  }
};

const rows = [
  { name: 'one that is there', in: 'there', want: 'made' },
  { name: 'one in it', in: 'there/one', want: 'made' },
  { name: 'several', in: 'a/b/c', want: 'made' },
  { name: 'a file', in: 'file', want: 'EEXIST' },
  { name: 'one in a file', in: 'file/x', want: 'ENOTDIR' },
  { name: 'a link to nothing', in: 'dangling', want: 'EEXIST' },
];
test.each(rows)('$name: $want', ({ in: path, want }) => {
  expect(outcome(join(dir, path))).toBe(want);
});

test('a link is as what it leads to', () => {
  symlinkSync('there', join(dir, 'link'));
  expect(outcome(join(dir, 'link'))).toBe('made');
});

test('where nothing can be made the kernel says so', () => {
  expect(outcome('/proc/patchpanel/state')).toBe('ENOENT');
});
