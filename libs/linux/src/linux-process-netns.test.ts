import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import type { HeldNetns } from '@pp/ports';
import { describeOnKernel, until } from '@pp/netlink/testing';
import { LinuxProcessNetns } from './linux-process-netns';
import { OTHER_UID } from './testing';

describeOnKernel('the namespace of a process', (native) => {
  const processes = new LinuxProcessNetns(native);
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  const start = async (program: string, ...words: readonly string[]): Promise<number> => {
    child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
    const { stdout, pid = 0 } = child;
    await new Promise((resolve) => stdout?.once('data', resolve));
    return pid;
  };

  test('our own is the host’s', () => {
    const held = processes.open(process.pid);
    if (!held.ok) throw new Error(held.sentence);
    const { inode, isHost, uid, startTime } = held.value;
    expect({ inode, isHost, uid }).toEqual({
      inode: statSync('/proc/self/ns/net').ino,
      isHost: true,
      uid: process.geteuid?.(),
    });
    expect(startTime).toMatch(/^\d+$/);
    held.value.close();
    held.value.close();
  });

  test('lends what it holds, and only as long', () => {
    const inode = statSync('/proc/self/ns/net').ino;
    const lent = (): number | null => {
      const fd = processes.fdOf(inode);
      return fd === null ? null : native.fdIdentity(fd).ino;
    };
    const open = (): HeldNetns => {
      const held = processes.open(process.pid);
      if (!held.ok) throw new Error(held.sentence);
      return held.value;
    };
    expect(lent()).toBeNull();
    const [first, second] = [open(), open()];
    expect([lent(), processes.fdOf(inode + 1)]).toEqual([inode, null]);
    first.close();
    expect(lent()).toBe(inode);
    second.close();
    expect(lent()).toBeNull();
  });

  const missing = OTHER_UID === 0 ? ' (needs a second uid)' : '';
  (missing === '' ? test : test.skip)(
    `another one, of another user, with a name that is hard to read${missing}`,
    async () => {
      const script = 'printf ") x (" > /proc/self/comm; echo; read line';
      const pid = await start(
        'unshare',
        '-n',
        'setpriv',
        '--reuid',
        '4321',
        '--clear-groups',
        'sh',
        '-c',
        script,
      );
      const held = processes.open(pid);
      if (!held.ok) throw new Error(held.sentence);
      expect(held.value).toMatchObject({
        inode: statSync(`/proc/${pid}/ns/net`).ino,
        isHost: false,
        uid: OTHER_UID,
      });
      expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain('() x () ');
      expect(Number(held.value.startTime)).toBeGreaterThan(1);
      held.value.close();
    },
  );

  test.each([
    { name: 'none', route: 'true', want: false },
    { name: 'one', route: 'ip route add default dev br0', want: true },
    { name: 'one of another metric', route: 'ip route add default dev br0 metric 5', want: false },
    { name: 'one for half of the world', route: 'ip route add 0.0.0.0/1 dev br0', want: false },
  ])('a default route: $name', async ({ route, want }) => {
    const script = `ip link add br0 up type bridge; ${route}; echo; read line`;
    const held = processes.open(await start('unshare', '-n', 'sh', '-ec', script));
    if (!held.ok) throw new Error(held.sentence);
    expect(held.value.hasDefaultRoute).toBe(want);
    held.value.close();
  });

  test('a zombie has none', async () => {
    const pid = await start('sh', '-c', 'sleep 0.2 & echo $!; exec sleep 1000');
    const zombie = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
    await until('it is a zombie', () => readFileSync(`/proc/${zombie}/stat`, 'utf8').includes(') Z '));
    expect(processes.open(zombie)).toMatchObject({ ok: false, reason: 'NotFound' });
  });

  test.each([0, -1, 2 ** 22 + 1, 2 ** 31 - 1])('no process %p', (pid) => {
    expect(processes.open(pid)).toMatchObject({
      ok: false,
      reason: 'NotFound',
      sentence: `no process has the pid ${pid}`,
    });
  });
});
