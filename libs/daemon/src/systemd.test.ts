import { millis } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { loadNative, type Native } from '@pp/native';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Systemd, takeSystemdEnv, type SystemdDoor, type SystemdEnv } from './systemd';

const NOTHING: SystemdEnv = { notifySocket: undefined, watchdogUsec: undefined, passedFds: [] };

describe('the environment', () => {
  const rows: { name: string; in: Record<string, string>; want: Partial<SystemdEnv> }[] = [
    { name: 'nothing', in: {}, want: {} },
    { name: 'a notify socket', in: { NOTIFY_SOCKET: '/run/n' }, want: { notifySocket: '/run/n' } },
    { name: 'an empty notify socket', in: { NOTIFY_SOCKET: '' }, want: {} },
    { name: 'a watchdog for all', in: { WATCHDOG_USEC: '3000000' }, want: { watchdogUsec: 3_000_000 } },
    { name: 'a watchdog for us', in: { WATCHDOG_USEC: '5', WATCHDOG_PID: '42' }, want: { watchdogUsec: 5 } },
    { name: 'a watchdog for our parent', in: { WATCHDOG_USEC: '5', WATCHDOG_PID: '41' }, want: {} },
    { name: 'a watchdog that is no number', in: { WATCHDOG_USEC: 'often' }, want: {} },
    {
      name: 'descriptors for us',
      in: { LISTEN_PID: '42', LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b' },
      want: {
        passedFds: [
          { name: 'a', fd: 3 },
          { name: 'b', fd: 4 },
          { name: 'unknown', fd: 5 },
        ],
      },
    },
    { name: 'descriptors for our parent', in: { LISTEN_PID: '41', LISTEN_FDS: '1' }, want: {} },
    { name: 'a count that is no number', in: { LISTEN_PID: '42', LISTEN_FDS: 'x' }, want: {} },
    { name: 'a count below zero', in: { LISTEN_PID: '42', LISTEN_FDS: '-1' }, want: {} },
  ];
  test.each(rows)('$name', ({ in: variables, want }) => {
    const env: NodeJS.ProcessEnv = { ...variables, PATH: '/bin' };
    expect(takeSystemdEnv(env, 42)).toEqual({ ...NOTHING, ...want });
    expect(env).toEqual({ PATH: '/bin' }); // children inherit nothing of it
  });
});

/** Keeps what was sent as "socket: text [fds]". */
function recording(sent: string[], fault?: Error): SystemdDoor {
  return {
    sendUnixDatagram: (path, data, fds = []) => {
      if (fault !== undefined) throw fault;
      sent.push(`${path}: ${Buffer.from(data).toString()} [${fds.join()}]`);
    },
    dupFd: (fd) => fd + 100,
    closeFd: (fd) => sent.push(`close ${fd}`),
  };
}

const here = { ...NOTHING, notifySocket: '@n' };

describe('messages', () => {
  const rows: { name: string; do: (systemd: Systemd) => void; want: string }[] = [
    {
      name: 'ready',
      do: (systemd) => {
        systemd.ready();
      },
      want: '@n: READY=1 []',
    },
    {
      name: 'stopping',
      do: (systemd) => {
        systemd.stopping();
      },
      want: '@n: STOPPING=1 []',
    },
    {
      name: 'status',
      do: (systemd) => {
        systemd.status('two\nguests');
      },
      want: '@n: STATUS=two guests []',
    },
    {
      name: 'store a descriptor',
      do: (systemd) => {
        systemd.storeFd('ns-3', 9);
      },
      want: '@n: FDSTORE=1\nFDNAME=ns-3\nFDPOLL=0 [9]',
    },
    {
      name: 'remove a descriptor',
      do: (systemd) => {
        systemd.removeFd('ns-3');
      },
      want: '@n: FDSTOREREMOVE=1\nFDNAME=ns-3 []',
    },
  ];
  test.each(rows)('$name', ({ do: act, want }) => {
    const sent: string[] = [];
    act(new Systemd(here, recording(sent), new MemoryLog()));
    expect(sent).toEqual([want]);
  });

  test('without a service manager nothing is sent', () => {
    const sent: string[] = [];
    const systemd = new Systemd(NOTHING, recording(sent), new MemoryLog());
    systemd.ready();
    systemd.storeFd('x', 3);
    expect([systemd.inheritedFds(), sent]).toEqual([[], []]);
  });

  test('a send that fails is one line in the log', () => {
    const log = new MemoryLog();
    new Systemd(here, recording([], new Error('sendmsg: ECONNREFUSED')), log).ready();
    expect(log.lines).toEqual(['warn notify.failed state=READY=1 error=sendmsg: ECONNREFUSED']);
  });
});

test('inherited descriptors are moved to ones that children do not get', () => {
  const sent: string[] = [];
  const systemd = new Systemd(
    { ...here, passedFds: [{ name: 'a', fd: 3 }] },
    recording(sent),
    new MemoryLog(),
  );
  expect(systemd.inheritedFds()).toEqual([{ name: 'a', fd: 103 }]);
  expect(sent).toEqual(['close 3']);
});

test('the watchdog is told twice in every period, until cancelled', () => {
  const sent: string[] = [];
  const clock = new VirtualClock();
  const cancel = new Systemd(
    { ...here, watchdogUsec: 3_000_000 },
    recording(sent),
    new MemoryLog(),
  ).startWatchdog(clock);
  clock.advance(millis(1499));
  expect(sent).toHaveLength(1);
  clock.advance(millis(1501));
  expect(sent).toEqual(Array(3).fill('@n: WATCHDOG=1 []'));
  cancel();
  expect(clock.pending()).toEqual([]);
});

describe('on a real socket', () => {
  const native: Native = loadNative();
  const dir = mkdtempSync(join(tmpdir(), 'systemd-'));
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  test.each([
    { name: 'a path', socket: join(dir, 'notify') },
    { name: 'an abstract name', socket: `@${join(dir, 'notify')}` },
  ])('$name', async ({ socket }) => {
    const [readEnd, writeEnd] = native.pipe();
    const systemd = new Systemd({ ...NOTHING, notifySocket: socket }, native, new MemoryLog());
    const received = await new Promise<{ text: string; fds: readonly number[] }>((resolve, reject) => {
      const handle = native.adoptStream(native.bindUnixDatagram(socket), {
        onData: (data, fds) => {
          handle.close();
          resolve({ text: Buffer.from(data).toString(), fds });
        },
        onEnd: () => {
          reject(new Error('the end'));
        },
        onError: reject,
      });
      systemd.storeFd('pipe', writeEnd);
    });
    expect(received.text).toBe('FDSTORE=1\nFDNAME=pipe\nFDPOLL=0');
    expect(received.fds.map((fd) => native.fdIdentity(fd))).toEqual([native.fdIdentity(writeEnd)]);
    for (const fd of [readEnd, writeEnd, ...received.fds]) native.closeFd(fd);
  });
});
