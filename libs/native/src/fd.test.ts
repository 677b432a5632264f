import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PollEvents } from './api/fd';
import { testOnFuse } from './testing/fuse-directory';
import { checkLeaks, codeOf, native, until } from './testing/harness';
import { isSanitized } from './testing/plain-env';

const BAD_FD = 19_999_999;
const NOTHING: PollEvents = { readable: false, hangup: false, error: false };

checkLeaks();

function openFlags(fd: number): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  return parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '', 8);
}

const openSockets = (): readonly number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => existsSync(`/proc/self/fd/${fd}`) && native.fdKind(fd) === 'socket');

/** Watches until the first report. */
function firstReport(fd: number): { readonly seen: PollEvents[] } {
  const seen: PollEvents[] = [];
  const watch = native.watchFd(fd, (events) => {
    seen.push(events);
    watch.close();
  });
  return { seen };
}

test('errnoName has every name that node knows, and those that only netlink says', () => {
  const { EWOULDBLOCK, ENOTSUP, ...distinct } = constants.errno;
  const names = Object.entries(distinct).filter(([name]) => name.startsWith('E'));
  expect(names.map(([, code]) => native.errnoName(code))).toEqual(names.map(([name]) => name));
  expect([EWOULDBLOCK, ENOTSUP, 524, 999].map((code) => native.errnoName(code))).toEqual([
    'EAGAIN',
    'EOPNOTSUPP',
    'ENOTSUPP',
    'E999',
  ]);
});

describe('errors by name', () => {
  test.each<{ name: string; call: () => unknown; want: string }>([
    {
      name: 'closeFd',
      call: () => {
        native.closeFd(BAD_FD);
      },
      want: `EBADF close ${BAD_FD}`,
    },
    {
      name: 'closeFd of -1',
      call: () => {
        native.closeFd(-1);
      },
      want: 'EBADF close -1',
    },
    { name: 'dupFd', call: () => native.dupFd(BAD_FD), want: `EBADF dup ${BAD_FD}` },
    { name: 'fdKind', call: () => native.fdKind(BAD_FD), want: `EBADF statx ${BAD_FD}` },
    { name: 'fdIdentity', call: () => native.fdIdentity(BAD_FD), want: `EBADF fstat ${BAD_FD}` },
    { name: 'pollFd', call: () => native.pollFd(BAD_FD), want: `EBADF poll ${BAD_FD}` },
    { name: 'pollFd of -1', call: () => native.pollFd(-1), want: 'EBADF poll -1' },
    { name: 'watchFd', call: () => native.watchFd(BAD_FD, () => undefined), want: `EBADF dup ${BAD_FD}` },
    {
      name: 'getSocketOption of no fd',
      call: () => native.getSocketOption(BAD_FD, 1, 3, 4),
      want: 'EBADF getsockopt 1 3',
    },
    {
      name: 'setSocketOption of no fd',
      call: () => {
        native.setSocketOption(BAD_FD, 1, 2, new Uint8Array(4));
      },
      want: 'EBADF setsockopt 1 2',
    },
    {
      name: 'pidfdOpen of nobody',
      call: () => native.pidfdOpen(2 ** 22 + 1),
      want: 'ESRCH pidfd_open 4194305',
    },
    { name: 'pidfdOpen of 0', call: () => native.pidfdOpen(0), want: 'EINVAL pidfd_open 0' },
  ])('$name', ({ call, want }) => {
    let got = 'nothing';
    try {
      call();
    } catch (fault) {
      const { code, call: text, name } = fault as { code: string; call: string; name: string };
      expect(name).toBe('NativeError');
      got = `${code} ${text}`;
    }
    expect(got).toBe(want);
  });

  test.each([NaN, 1.5, Infinity, 2 ** 31, undefined, '1', null])('an fd of %p is a TypeError', (fd) => {
    expect(() => native.dupFd(fd as number)).toThrow(
      'fd: must be a whole number from -2147483648 to 2147483647',
    );
  });
});

describe('descriptors', () => {
  test('pipe and dupFd are close-on-exec', () => {
    const [reader, writer] = native.pipe();
    const copy = native.dupFd(writer);
    for (const fd of [reader, writer, copy]) expect(openFlags(fd) & 0o2000000).not.toBe(0);
    writeSync(copy, 'x');
    expect(native.pollFd(reader)).toEqual({ ...NOTHING, readable: true });
    expect(codeOf(() => native.getSocketOption(reader, 1, 3, 4))).toBe('ENOTSOCK');
    for (const fd of [reader, writer, copy]) native.closeFd(fd);
    expect(
      codeOf(() => {
        native.closeFd(copy);
      }),
    ).toBe('EBADF');
  });

  test('fdKind', () => {
    const directory = mkdtempSync(join(tmpdir(), 'pp-native-'));
    const [a, b] = native.socketPair('stream');
    const [reader, writer] = native.pipe();
    const fds = [
      openSync(join(directory, 'file'), 'w'),
      openSync(directory, 'r'),
      openSync('/dev/null', 'r'),
      a,
      b,
      reader,
      writer,
    ];
    expect(fds.map((fd) => native.fdKind(fd))).toEqual([
      'file',
      'directory',
      'character',
      'socket',
      'socket',
      'fifo',
      'fifo',
    ]);
    for (const fd of fds) closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  testOnFuse("fdKind asks no file system that may be a user's", (directory) => {
    const fd = openSync(directory, 'r');
    try {
      expect(native.fdKind(fd)).toBe('directory');
    } finally {
      closeSync(fd);
    }
  });

  test('fdIdentity tells files apart, and copies not', () => {
    const [reader, writer] = native.pipe();
    const other = native.pipe();
    const copy = native.dupFd(reader);
    expect(native.fdIdentity(copy)).toEqual(native.fdIdentity(reader));
    expect(native.fdIdentity(other[0])).not.toEqual(native.fdIdentity(reader));
    for (const fd of [reader, writer, copy, ...other]) native.closeFd(fd);
  });

  test('socket options by number', () => {
    const [a, b] = native.socketPair('stream');
    const SOL_SOCKET = 1,
      SO_RCVBUF = 8,
      SO_PEERCRED = 17;
    native.setSocketOption(a, SOL_SOCKET, SO_RCVBUF, new Uint8Array(new Uint32Array([50_000]).buffer));
    const size = native.getSocketOption(a, SOL_SOCKET, SO_RCVBUF, 4);
    expect(new DataView(size.buffer).getUint32(0, true)).toBe(100_000);
    const [pid, uid] = new Uint32Array(native.getSocketOption(b, SOL_SOCKET, SO_PEERCRED, 64).buffer);
    expect([pid, uid]).toEqual([process.pid, process.getuid?.()]);
    expect(codeOf(() => native.getSocketOption(a, SOL_SOCKET, 9999, 4))).toBe('ENOPROTOOPT');
    native.closeFd(a);
    native.closeFd(b);
  });
});

/** The sanitizer takes it that the kernel wrote all of the length that it tells. */
const testLengths = (name: string, body: () => void): void => {
  if (isSanitized) test.skip(`${name} (skipped: the sanitizer knows it otherwise)`, body);
  else test(name, body);
};

testLengths('a socket option is as long as was asked for, also where there is more of it', () => {
  const SOL_NETLINK = 270,
    NETLINK_LIST_MEMBERSHIPS = 9;
  const quiet = { onDatagrams: () => undefined, onError: () => undefined };
  const before = new Set(openSockets());
  const netlink = native.openNetlink({ family: 'route', ...quiet });
  netlink.join(1);
  const fd = openSockets().find((each) => !before.has(each)) ?? -1;
  const lengths = [64, 4, 0].map(
    (room) => native.getSocketOption(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, room).length,
  );
  netlink.close();
  expect(lengths).toEqual([8, 4, 0]);
});

test('a filter, whose length the kernel counts in instructions, is not read', () => {
  const SOL_SOCKET = 1,
    SO_ATTACH_FILTER = 26,
    [a, b] = native.socketPair('datagram');
  for (const room of [0, 1, 4096])
    expect(codeOf(() => native.getSocketOption(a, SOL_SOCKET, SO_ATTACH_FILTER, room))).toBe('EINVAL');
  native.closeFd(a);
  native.closeFd(b);
});

describe('watchFd and pollFd', () => {
  type Ends = readonly [watched: number, peer: number];
  const reversed = ([reader, writer]: [number, number]): Ends => [writer, reader];

  test.each<{
    name: string;
    make: () => Ends;
    act: (peer: number) => void;
    closes?: boolean;
    want: PollEvents;
  }>([
    {
      name: 'read end, data',
      make: () => native.pipe(),
      act: (peer) => writeSync(peer, 'x'),
      want: { ...NOTHING, readable: true },
    },
    {
      name: 'read end, writer closes',
      make: () => native.pipe(),
      act: closeSync,
      closes: true,
      want: { ...NOTHING, hangup: true },
    },
    {
      name: 'write end, reader closes',
      make: () => reversed(native.pipe()),
      act: closeSync,
      closes: true,
      want: { ...NOTHING, error: true },
    },
    {
      name: 'stream socket, data',
      make: () => native.socketPair('stream'),
      act: (peer) => writeSync(peer, 'x'),
      want: { ...NOTHING, readable: true },
    },
    {
      name: 'stream socket, peer closes',
      make: () => native.socketPair('stream'),
      act: closeSync,
      closes: true,
      want: { ...NOTHING, readable: true, hangup: true },
    },
    {
      name: 'seqpacket socket, peer closes',
      make: () => native.socketPair('seqpacket'),
      act: closeSync,
      closes: true,
      want: { ...NOTHING, readable: true, hangup: true },
    },
    {
      name: 'datagram socket, data',
      make: () => native.socketPair('datagram'),
      act: (peer) => writeSync(peer, 'x'),
      want: { ...NOTHING, readable: true },
    },
  ])('$name', async ({ make, act, closes = false, want }) => {
    const [watched, peer] = make();
    expect(native.pollFd(watched)).toEqual(NOTHING);
    const report = firstReport(watched);
    act(peer);
    expect(native.pollFd(watched)).toEqual(want);
    await until('reported', () => report.seen.length > 0);
    expect(report.seen).toEqual([want]);
    if (!closes) closeSync(peer);
    closeSync(watched);
  });

  test('is quiet while nothing happens, and level-triggered after', async () => {
    const [reader, writer] = native.pipe();
    let reports = 0;
    const watch = native.watchFd(reader, () => {
      reports++;
    });
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(reports).toBe(0);
    writeSync(writer, 'x');
    await until('reported again and again', () => reports > 3);
    watch.close();
    watch.close();
    const last = reports;
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(reports).toBe(last);
    closeSync(reader);
    closeSync(writer);
  });

  test('two watchers on one file, and the fd closed while it is watched', async () => {
    const [reader, writer] = native.pipe();
    const first = firstReport(reader);
    const second = firstReport(reader);
    closeSync(reader);
    closeSync(writer);
    await until('both reported', () => first.seen.length + second.seen.length === 2);
    expect([...first.seen, ...second.seen]).toEqual([
      { ...NOTHING, hangup: true },
      { ...NOTHING, hangup: true },
    ]);
  });

  test("leaves the file's flags alone, which its sender shares", () => {
    const [reader, writer] = native.pipe();
    const before = openFlags(reader);
    const watch = native.watchFd(reader, () => undefined);
    expect(openFlags(reader)).toBe(before);
    watch.close();
    closeSync(reader);
    closeSync(writer);
  });

  test('a regular file is EPERM', () => {
    const directory = mkdtempSync(join(tmpdir(), 'pp-native-'));
    const fd = openSync(join(directory, 'file'), 'w');
    expect(codeOf(() => native.watchFd(fd, () => undefined))).toBe('EPERM');
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  test('pidfd: signalled, then readable when the process has ended', async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    let signal: string | null = null;
    child.on('exit', (_, by) => {
      signal = by;
    });
    const pidfd = native.pidfdOpen(child.pid ?? 0);
    expect(openFlags(pidfd) & 0o2000000).not.toBe(0);
    const report = firstReport(pidfd);
    expect(native.pollFd(pidfd)).toEqual(NOTHING);
    child.kill('SIGTERM');
    await until('reported', () => report.seen.length > 0);
    expect(report.seen[0]?.readable).toBe(true);
    await until('exit seen', () => signal !== null);
    expect(signal).toBe('SIGTERM');
    closeSync(pidfd);
  });
});
