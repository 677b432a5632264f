/** With programs of our own in the place of nft(8); the real one is in linux-kernel.kernel.test.ts. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KernelError, seconds } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { loadNative } from '@pp/native';
import { until } from '@pp/netlink/testing';
import { NftRunner } from './nft-runner';
import { withFree } from './testing';

const native = loadNative();
let directory: string;
let clock: VirtualClock;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pptest-nft-'));
  clock = new VirtualClock();
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await until('the pipe is closed', () => openPipes() === PIPES);
});

const openPipes = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:');
    } catch {
      return false; // the descriptor of this very listing
    }
  }).length;
const PIPES = openPipes();

/** A runner of a shell script. */
function runner(script: string): NftRunner {
  const program = join(directory, 'nft');
  writeFileSync(program, `#!/bin/sh\ncd ${directory}\n${script}\n`);
  chmodSync(program, 0o755);
  return new NftRunner({ native, clock, inHost: (inside) => inside(), program });
}

const outcome = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof KernelError ? error.message : 'thrown'),
  );

test('the whole text goes to a pipe', async () => {
  const text = 'add table inet x\n'.repeat(20_000);
  expect(
    await outcome(runner('readlink /proc/self/fd/0 > kind; cat > got; echo "$@" > words').load(text, 'load')),
  ).toBe('done');
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  expect([read('kind').slice(0, 5), read('got') === text, read('words')]).toEqual(['pipe:', true, '-f -\n']);
});

const refusals = [
  {
    name: 'the first error',
    script:
      'echo warning >&2; echo "x:1:1-2: Error: No such file or directory" >&2; echo "y: Error: other" >&2; exit 1',
    want: 'load: ENOENT (x:1:1-2: Error: No such file or directory)',
  },
  {
    name: 'something is there already',
    script: 'echo "x: Error: Could not process rule: File exists" >&2; exit 1',
    want: 'load: EEXIST (x: Error: Could not process rule: File exists)',
  },
  {
    name: 'an error without an errno',
    script: 'echo "x: Error: syntax error" >&2; exit 1',
    want: 'load: EINVAL (x: Error: syntax error)',
  },
  { name: 'no error line', script: 'echo help >&2; exit 1', want: 'load: EINVAL (help)' },
  { name: 'nothing said', script: 'exit 3', want: 'load: EINVAL' },
  { name: 'killed', script: 'kill -9 $$', want: 'load: EINVAL (nft was ended by SIGKILL)' },
  { name: 'it does not read', script: 'exec <&-; exit 1', want: 'load: EINVAL' },
];

test.each(refusals)('$name', async ({ script, want }) => {
  expect(await outcome(runner(script).load('x\n'.repeat(100_000), 'load'))).toBe(want);
});

test('there is no nft', async () => {
  const none = new NftRunner({
    native,
    clock,
    inHost: (inside) => inside(),
    program: join(directory, 'none'),
  });
  expect(await outcome(none.load('x', 'load'))).toBe(
    `load: ENOENT (there is no ${join(directory, 'none')}: install nftables)`,
  );
});

const unstartable = [
  {
    name: 'a link to itself',
    make: (path: string) => {
      symlinkSync(path, path);
    },
    want: 'ELOOP',
  },
  {
    name: 'not executable',
    make: (path: string) => {
      writeFileSync(path, '');
    },
    want: 'EACCES',
  },
];

test.each(unstartable)('one that cannot be started is refused: $name', async ({ make, want }) => {
  const program = join(directory, 'nft');
  make(program);
  const broken = new NftRunner({ native, clock, inHost: (inside) => inside(), program });
  expect(await outcome(broken.load('x\n'.repeat(100_000), 'load'))).toContain(`load: ${want}`);
});

test.each([0, 2])('refused with %i descriptors free', async (count) => {
  const nft = runner('exit 0');
  expect(await withFree(native, count, () => outcome(nft.load('x', 'load')))).toContain('load: EMFILE');
});

test('one that hangs is ended', async () => {
  const loading = outcome(runner('echo $$ > pid; exec sleep 1000').load('x', 'load'));
  await until('it runs', () => readdirSync(directory).includes('pid'));
  const pid = readFileSync(join(directory, 'pid'), 'utf8').trim();
  clock.advance(seconds(10));
  expect(await loading).toBe('load: ETIMEDOUT (nft did not end within 10 s)');
  await until('it is gone', () => !readdirSync('/proc').includes(pid));
});
