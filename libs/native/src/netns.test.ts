import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';

let directory = '';
const fds: number[] = [];
const children: ChildProcess[] = [];

checkLeaks(async () => {
  for (const fd of fds.splice(0)) closeSync(fd);
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await until('child gone', () => child.exitCode !== null || child.signalCode !== null);
  }
  spawnSync('umount', ['--lazy', join(directory, 'netns')], { stdio: 'ignore' });
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pp-native-'));
});

function hold(fd: number): number {
  fds.push(fd);
  return fd;
}

function start(command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

/** What is mounted in a mount namespace made now, that hears of this one's mounts. */
async function mountsApart(): Promise<() => string> {
  const other = start('unshare', '--mount', '--propagation', 'slave', 'sleep', '1000');
  const mounts = (): string => readFileSync(`/proc/${other.pid ?? 0}/mountinfo`, 'utf8');
  await until(
    'unshared',
    () =>
      readlinkSync(`/proc/${other.pid ?? 0}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt') &&
      mounts().includes('master:'),
  );
  return mounts;
}

const here = (): string => readlinkSync('/proc/thread-self/ns/net');
const nameOf = (fd: number): string => `net:[${native.fdIdentity(fd).ino}]`;

describe('openNetns', () => {
  test('current, by pid and by path are the same namespace, close-on-exec', () => {
    const all = [
      hold(native.openNetns('current')),
      hold(native.openNetns({ pid: process.pid })),
      hold(native.openNetns({ path: '/proc/self/ns/net' })),
    ];
    expect(all.map(nameOf)).toEqual([here(), here(), here()]);
    for (const fd of all) expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/^flags:\s*02/m);
  });

  test.each([
    { name: 'pid 0', of: { pid: 0 }, want: 'EINVAL' },
    { name: 'pid -1', of: { pid: -1 }, want: 'EINVAL' },
    { name: 'a pid beyond all', of: { pid: 2 ** 22 + 1 }, want: 'ESRCH' },
    { name: 'another kind of namespace', of: { path: '/proc/self/ns/mnt' }, want: 'EINVAL' },
    { name: 'no namespace', of: { path: '/dev/null' }, want: 'EINVAL' },
    { name: 'nothing', of: { path: '/nonexistent' }, want: 'ENOENT' },
    { name: 'empty path', of: { path: '' }, want: 'ENOENT' },
  ])('$name: $want', ({ of, want }) => {
    expect(codeOf(() => native.openNetns(of))).toBe(want);
  });

  test('a FIFO does not hold us', () => {
    const path = join(directory, 'fifo');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    expect(codeOf(() => native.openNetns({ path }))).toBe('EINVAL');
  });

  test('a zombie has none', async () => {
    // sleep never waits for the child that it inherits from the shell.
    const parent = start('sh', '-c', 'true & exec sleep 1000');
    const ofParent = `/proc/${parent.pid ?? 0}`;
    let zombie = 0;
    await until('zombie', () => {
      zombie = Number(readFileSync(`${ofParent}/task/${parent.pid ?? 0}/children`, 'utf8'));
      return zombie > 0 && readFileSync(`/proc/${zombie}/stat`, 'utf8').includes(') Z ');
    });
    expect(codeOf(() => native.openNetns({ pid: zombie }))).toMatch(/^(ESRCH|ENOENT)$/);
  });

  testInNetns('by pid of a process in another namespace', async () => {
    const child = start('unshare', '-n', 'sleep', '1000');
    const link = `/proc/${child.pid ?? 0}/ns/net`;
    await until('unshared', () => readlinkSync(link) !== here());
    expect(nameOf(hold(native.openNetns({ pid: child.pid ?? 0 })))).toBe(readlinkSync(link));
  });
});

testInNetns('createNetns: a namespace of its own each time, and this thread stays', () => {
  const before = here();
  const [one, two] = [hold(native.createNetns()), hold(native.createNetns())];
  expect(new Set([before, nameOf(one), nameOf(two)]).size).toBe(3);
  expect(here()).toBe(before);
  const links = native.runInNetns(one, () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
  expect(links.match(/^\s*\w+:/gm)).toEqual([expect.stringContaining('lo:')]);
});

describe('runInNetns', () => {
  testInNetns('returns and throws what the function does, and comes back', () => {
    const before = here();
    const inside = hold(native.createNetns());
    expect(native.runInNetns(inside, here)).toBe(nameOf(inside));
    expect(here()).toBe(before);
    const fault = new Error('inside');
    expect(() =>
      native.runInNetns(inside, () => {
        throw fault;
      }),
    ).toThrow(fault);
    expect(here()).toBe(before);
  });

  testInNetns('nested, each comes back to the one outside it', () => {
    const [one, two] = [hold(native.createNetns()), hold(native.createNetns())];
    const seen = native.runInNetns(one, () => {
      const inner = native.runInNetns(two, here);
      return [inner, here()];
    });
    expect(seen).toEqual([nameOf(two), nameOf(one)]);
  });

  testInNetns('the descriptor may be closed inside', () => {
    const before = here();
    const [one, two] = [native.createNetns(), hold(native.createNetns())];
    const name = nameOf(one);
    const seen = native.runInNetns(one, () => {
      closeSync(one);
      native.runInNetns(two, () => undefined);
      return here();
    });
    expect([seen, here()]).toEqual([name, before]);
  });

  testInNetns('an async function is refused', () => {
    const inside = hold(native.createNetns());
    const later = Promise.resolve();
    expect(() => native.runInNetns(inside, () => later)).toThrow('must not be async');
  });

  test('errors', () => {
    expect(
      codeOf(() => {
        native.runInNetns(-1, () => undefined);
      }),
    ).toBe('EBADF');
    expect(
      codeOf(() => {
        native.runInNetns(hold(openSync('/dev/null', 'r')), () => undefined);
      }),
    ).toBe('EINVAL');
    expect(
      codeOf(() => {
        native.runInNetns(hold(openSync('/proc/self/ns/uts', 'r')), () => undefined);
      }),
    ).toBe('EINVAL');
  });
});

describe('nameNetns', () => {
  const mayMount = process.getuid?.() === 0;
  const testMounts = mayMount
    ? testInNetns
    : (name: string) => {
        test.skip(`${name} (skipped: may not mount)`, () => undefined);
      };

  testMounts('names it for others until unnamed', () => {
    const path = join(directory, 'netns', 'blue');
    const netns = hold(native.createNetns());
    native.nameNetns(netns, path);
    const again = native.openNetns({ path });
    expect(native.fdIdentity(again)).toEqual(native.fdIdentity(netns));
    closeSync(again);
    expect(statSync(join(directory, 'netns')).mode & 0o777).toBe(0o755);
    expect(
      codeOf(() => {
        native.nameNetns(netns, path);
      }),
    ).toBe('EEXIST');
    native.unnameNetns(path);
    expect(existsSync(path)).toBe(false);
    expect(
      codeOf(() => {
        native.unnameNetns(path);
      }),
    ).toBe('ENOENT');
  });

  testMounts('is seen, and gone again, in mount namespaces made before', async () => {
    const first = join(directory, 'netns', 'first');
    const second = join(directory, 'netns', 'second');
    const netns = hold(native.createNetns());
    native.nameNetns(netns, first);
    const mounts = await mountsApart();
    native.nameNetns(netns, second);
    expect(mounts()).toContain(second);
    native.unnameNetns(second);
    expect(mounts()).not.toContain(second);
    native.unnameNetns(first);
    // The directory is one mount, however many names it had.
    const own = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    expect(own.filter((line) => line.includes(` ${join(directory, 'netns')} `))).toHaveLength(1);
  });

  testMounts('a directory that was made private is shared again', async () => {
    const first = join(directory, 'netns', 'first');
    const second = join(directory, 'netns', 'second');
    const netns = hold(native.createNetns());
    native.nameNetns(netns, first);
    spawnSync('mount', ['--make-rprivate', join(directory, 'netns')]);
    native.nameNetns(netns, second);
    const mounts = await mountsApart();
    expect(mounts()).toContain(first);
    native.unnameNetns(first);
    native.unnameNetns(second);
    expect([first, second].filter((path) => mounts().includes(path))).toEqual([]);
  });

  testMounts('errors leave nothing behind', () => {
    const path = join(directory, 'netns', 'red');
    expect(
      codeOf(() => {
        native.nameNetns(-1, path);
      }),
    ).toBe('EINVAL');
    const netns = hold(native.createNetns());
    expect(
      codeOf(() => {
        native.nameNetns(netns, 'relative');
      }),
    ).toBe('EINVAL');
    expect(
      codeOf(() => {
        native.nameNetns(netns, join(directory, 'no', 'such', 'x'));
      }),
    ).toBe('ENOENT');
    expect(existsSync(path)).toBe(false);
  });

  test('unnameNetns removes no other file', () => {
    const path = join(directory, 'data');
    writeFileSync(path, 'precious');
    expect(
      codeOf(() => {
        native.unnameNetns(path);
      }),
    ).toBe('EINVAL');
    expect(
      codeOf(() => {
        native.unnameNetns(directory);
      }),
    ).toBe('EINVAL');
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});
