import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameserversAt } from './resolv-conf';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'resolv-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

test.each([
  {
    name: 'a file',
    make: (path: string) => {
      writeFileSync(path, 'search lan\nnameserver 192.0.2.53\n');
    },
    want: ['192.0.2.53'],
  },
  { name: 'nothing', make: () => undefined, want: [] },
  {
    name: 'a link that leads nowhere',
    make: (path: string) => {
      symlinkSync('nowhere', path);
    },
    want: [],
  },
  {
    name: 'a directory',
    make: (path: string) => {
      mkdirSync(path);
    },
    want: [],
  },
])('name servers where resolv.conf is $name', ({ make, want }) => {
  const path = join(directory, 'resolv.conf');
  make(path);
  expect(nameserversAt(path)).toEqual(want);
});
