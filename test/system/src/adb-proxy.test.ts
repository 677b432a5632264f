import { seconds } from '@pp/base';
import {
  Adb,
  adbMissing,
  labForEach,
  labMissing,
  labTest,
  program,
  SHARED_INSIDE,
  STANDARD,
  until,
  type StandardLab,
} from '@pp/lab';
import {
  adbdOn,
  CONTAINER_SOCKET,
  PROXY_STATE,
  refusals,
  startProxy,
  statusOf,
  stays,
  useDevice,
} from './adb-rig';

/* adb on the host or on the LAN -- adb-proxy on the host, without a manager -- an emulated adbd. */

const MISSING = labMissing() ?? adbMissing();
const HERE = '127.0.0.1:5555';
const LAN = `${STANDARD.host.v4}:5555`;
const SLOW = 'tcp:127.0.0.1:6000';

let lab: StandardLab;

labForEach((opened) => (lab = opened));

labTest(
  'adb connects, runs a command, and moves 100 MB each way unchanged',
  async () => {
    await adbdOn(lab.host, CONTAINER_SOCKET);
    const proxy = await startProxy(lab.host, [
      '--listen',
      HERE,
      '--connect',
      'vsock:9:5555',
      '--connect',
      CONTAINER_SOCKET,
    ]);
    await useDevice(await Adb.start(lab.host, lab.host), lab.host, HERE);
    const { open, target, bytesFromTargets } = await statusOf(lab.host);
    // adb also takes what listens at this port for an emulator.
    expect([open > 0, target, bytesFromTargets > 1e8]).toEqual([true, `up: ${CONTAINER_SOCKET}`, true]);
    expect((await proxy.stop()).code).toBe(0);
    expect(await lab.host.shell('ss -Hltn')).not.toContain(':5555');
  },
  MISSING,
);

labTest(
  'from the LAN by --listen and --from: who is named, and nobody else',
  async () => {
    await adbdOn(lab.host, CONTAINER_SOCKET);
    const open = ['--listen', LAN, '--from', STANDARD.lanhost.v4];
    await startProxy(lab.host, [...open, '--connect', CONTAINER_SOCKET]);
    await useDevice(await Adb.start(lab.lanhost, lab.lanhost), lab.lanhost, LAN);
    expect(await stays(lab.router, STANDARD.host.v4)).toBe(false);
    expect(await refusals(lab.host, 'source')).toBe(1);
    expect(await stays(lab.host, '127.0.0.1')).toBe(false); // nothing else is open
  },
  MISSING,
);

labTest(
  'without --listen nobody outside can connect, by whatever address',
  async () => {
    await adbdOn(lab.host, CONTAINER_SOCKET);
    await startProxy(lab.host, ['--listen', HERE, '--connect', CONTAINER_SOCKET]);
    expect(await stays(lab.host, '127.0.0.1')).toBe(true);
    expect(await stays(lab.lanhost, STANDARD.host.v4)).toBe(false);
    await lab.lanhost.shell(
      `ip route add 127.0.0.1/32 via ${STANDARD.host.v4} table local 2>/dev/null || true`,
    );
    expect(await stays(lab.lanhost, STANDARD.host.v6)).toBe(false);
  },
  MISSING,
);

labTest(
  'auto-off ends what the LAN has open',
  async () => {
    await adbdOn(lab.host, CONTAINER_SOCKET);
    const open = ['--listen', LAN, '--from', '192.168.77.0/24', '--auto-off', '8'];
    const adb = await Adb.start(lab.lanhost, lab.lanhost); // first, for the time runs from the proxy's start
    await startProxy(lab.host, [...open, '--connect', CONTAINER_SOCKET]);
    expect(await adb.run('connect', LAN)).toMatch(/connected to/);
    await until('the device is gone', async () => !/\tdevice$/m.test(await adb.run('devices')));
    expect((await statusOf(lab.host)).listeners[0]?.state).toBe('off: its time was over');
    expect(await stays(lab.lanhost, STANDARD.host.v4)).toBe(false);
  },
  MISSING,
);

labTest(
  'a target that is down closes at once, and it works again when it is back',
  async () => {
    const adbd = await adbdOn(lab.host, CONTAINER_SOCKET);
    const proxy = await startProxy(lab.host, ['--listen', HERE, '--connect', CONTAINER_SOCKET]);
    const adb = await Adb.start(lab.host, lab.host);
    expect(await adb.run('connect', HERE)).toMatch(/connected to/);
    adbd.kill('SIGKILL');
    await adbd.exited;
    await until('adb has lost it', async () => !/\tdevice$/m.test(await adb.run('devices')));
    expect(await stays(lab.host, '127.0.0.1')).toBe(false);
    await proxy.line('word of it', (line) => (line.includes('target.down') ? true : undefined));
    await adbdOn(lab.host, CONTAINER_SOCKET);
    await until('it is there again', async () => {
      await adb.run('connect', HERE);
      return (await adb.run('-s', HERE, 'shell', 'echo back')) === 'back';
    });
  },
  MISSING,
);

labTest(
  'limits: the third of one address is closed, and the first is not disturbed',
  async () => {
    await lab.host.shell('mkdir -p /run/arc/adb');
    lab.host.spawn('socat', [`UNIX-LISTEN:${CONTAINER_SOCKET.slice(5)},fork`, 'EXEC:cat']);
    await until('the echo listens', () =>
      lab.host.ok('test', ['-S', CONTAINER_SOCKET.slice(5)]).then(() => true),
    );
    await startProxy(lab.host, ['--listen', HERE, '--connect', CONTAINER_SOCKET, '--max-per-source', '2']);
    const script = `
    exec 3<>/dev/tcp/127.0.0.1/5555 4<>/dev/tcp/127.0.0.1/5555 5<>/dev/tcp/127.0.0.1/5555
    read -r -t 20 x <&5; echo "third $?"
    echo hello >&3; read -r -t 20 x <&3; echo "first $x"`;
    expect(await lab.host.ok('bash', ['-c', script])).toBe('third 1\nfirst hello\n');
    expect(await refusals(lab.host, 'per-source')).toBe(1);
  },
  labMissing(),
);

labTest(
  'SIGTERM lets a transfer end, and takes nobody in meanwhile',
  async () => {
    const megabytes = 40;
    await lab.host.shell(`head -c ${megabytes}000000 /dev/urandom > ${SHARED_INSIDE}/data`);
    lab.host.spawn('socat', [
      'TCP-LISTEN:6000,bind=127.0.0.1,fork,reuseaddr',
      `OPEN:${SHARED_INSIDE}/data,rdonly`,
    ]);
    await until('the server listens', async () => (await lab.host.shell('ss -Hltn')).includes(':6000'));
    const proxy = await startProxy(lab.host, ['--listen', HERE, '--connect', SLOW]);
    const goOn = `${SHARED_INSIDE}/go-on`;
    const rest = `until [ -e ${goOn} ]; do sleep 0.05; done; head -c ${megabytes - 2}000000 <&3`;
    const steps = `head -c 2000000 <&3; ${rest}`;
    const reader = lab.host.run(
      'bash',
      ['-c', `exec 3<>/dev/tcp/127.0.0.1/5555; { ${steps}; } | cmp - ${SHARED_INSIDE}/data`],
      {
        timeout: seconds(50),
      },
    );
    await until('bytes move', async () => (await statusOf(lab.host)).bytesFromTargets > 1e6);
    proxy.kill('SIGTERM');
    await until('the door is closed', async () => !(await lab.host.shell('ss -Hltn')).includes(':5555'));
    expect(proxy.isRunning).toBe(true);
    await lab.host.ok('touch', [goOn]);
    expect((await reader).code).toBe(0);
    expect((await proxy.exited).code).toBe(0);
  },
  labMissing(),
);

labTest(
  'killed, it leaves nothing: the next one serves at once',
  async () => {
    const first = await startProxy(lab.host, ['--listen', HERE, '--connect', SLOW]);
    first.kill('SIGKILL');
    await first.exited;
    await startProxy(lab.host, ['--listen', HERE, '--connect', SLOW]);
  },
  labMissing(),
);

labTest(
  'what cannot be listened at is one sentence',
  async () => {
    const refused = async (...args: readonly string[]): Promise<readonly unknown[]> => {
      const { code, stderr } = await lab.host.run(program('adb-proxy'), [
        ...args,
        '--state-dir',
        `${PROXY_STATE}-2`,
      ]);
      return [code, stderr];
    };
    await startProxy(lab.host, ['--listen', HERE, '--connect', SLOW]);
    expect(await refused('--listen', HERE, '--connect', SLOW)).toEqual([
      1,
      'adb-proxy: cannot listen at 127.0.0.1 port 5555 (EADDRINUSE); another program listens there: stop it or write another port\n',
    ]);
    expect(await refused('--listen', '10.9.9.9:5555', '--from', '10.0.0.0/8', '--connect', SLOW)).toEqual([
      1,
      'adb-proxy: cannot listen at 10.9.9.9 port 5555 (EADDRNOTAVAIL); no interface of this host has that address: write one that "ip addr" shows\n',
    ]);
    const [code, sentence] = await refused('--listen', LAN, '--connect', SLOW);
    expect([code, sentence]).toEqual([
      2,
      `adb-proxy: --listen '${LAN}' can be reached from outside; say by whom, for example --from 192.168.1.0/24\n`,
    ]);
  },
  labMissing(),
);
