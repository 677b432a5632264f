import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refused } from '@pp/daemon';
import { openJournal } from './journal-refused';

test("somebody else's file in the place of the journal is refused, and stays", () => {
  const dir = mkdtempSync(join(tmpdir(), 'pp-journal-'));
  const path = join(dir, 'journal');
  writeFileSync(path, 'Dear diary,\n');
  const open = (): unknown => openJournal(dir);
  expect(open).toThrow(Refused);
  expect(open).toThrow(
    `${path} holds something else than a journal, and is left as it is; move it away or use another --state-dir`,
  );
  expect(readFileSync(path, 'utf8')).toBe('Dear diary,\n');
  rmSync(dir, { recursive: true });
});
