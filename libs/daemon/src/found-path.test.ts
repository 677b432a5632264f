import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { foundPath } from './found-path';
import { statusPath } from './status-socket';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'found-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const ROWS = [
  { name: 'nothing', made: [], want: 'relay.sock' },
  { name: "the manager's child", made: ['relay.sock'], want: 'relay.sock' },
  { name: 'a unit of its own', made: ['relay/relay.sock'], want: 'relay/relay.sock' },
  { name: "another's", made: ['other/other.sock'], want: 'relay.sock' },
  { name: 'both', made: ['relay.sock', 'relay/relay.sock'], want: 'relay.sock' },
];

test.each(ROWS)('$name', ({ made, want }) => {
  for (const each of made) {
    mkdirSync(dirname(join(directory, each)), { recursive: true });
    writeFileSync(join(directory, each), '');
  }
  expect(foundPath(directory, 'relay', statusPath)).toBe(join(directory, want));
});
