import {
  Adb,
  adbMissing,
  labMissing,
  labTest,
  startArcContainer,
  startArcVm,
  startManager,
  startTermina,
  STANDARD,
  until,
} from '@pp/lab';
import {
  adbdOn,
  CONTAINER_SOCKET,
  listens,
  managedLab,
  SessionManager,
  startProxy,
  statusOf,
  stays,
  useDevice,
  type ManagedLab,
} from './adb-rig';

/* adb-proxy follows the manager: Android as a container or a VM, and Linux VMs that sideload. */

const MISSING = labMissing() ?? adbMissing();
const LOOPBACK = ['127.0.0.1:5555', '[::1]:5555'];
const [HERE] = LOOPBACK as [string, string];

let rig: ManagedLab;

if (MISSING === undefined) {
  beforeEach(async () => {
    rig = await managedLab();
  }, 60_000);
  afterEach(async () => {
    await rig.lab.close();
    rig.client.close();
  }, 60_000);
}

labTest(
  'a container: while it runs, and through restarts of the manager',
  async () => {
    const { lab, client } = rig;
    await adbdOn(lab.host, CONTAINER_SOCKET);
    await startProxy(lab.host, ['--allow', 'always']);
    await listens(lab.host, []);
    const android = await startArcContainer({ lab, client });
    await listens(lab.host, LOOPBACK);
    const adb = await Adb.start(lab.host, lab.host);
    await useDevice(adb, lab.host, HERE);
    await rig.manager.kill();
    expect(await adb.run('-s', HERE, 'shell', 'echo without')).toBe('without');
    rig.manager = await startManager(lab.host);
    expect(await adb.run('-s', HERE, 'shell', 'echo again')).toBe('again');
    await listens(lab.host, LOOPBACK);
    await android.stop();
    await listens(lab.host, []);
    await until('adb has lost it', async () => !/\tdevice$/m.test(await adb.run('devices')));
  },
  MISSING,
);

labTest(
  'a VM without vsock: its TCP address',
  async () => {
    const { lab, client } = rig;
    await startProxy(lab.host, ['--allow', 'always']);
    const { guest } = await startArcVm({ lab, client }, 7);
    await adbdOn(lab.host, 'tcp:0.0.0.0:5555', guest);
    await listens(lab.host, LOOPBACK);
    await useDevice(await Adb.start(lab.host, lab.host), lab.host, HERE);
    expect((await statusOf(lab.host)).target).toBe('up: tcp:100.115.92.2:5555');
    // What comes in for Android passes this port by, though adbd listens on its uplink too.
    expect(await stays(lab.lanhost, STANDARD.host.v4)).toBe(false);
    expect(await stays(lab.host, '100.115.92.6')).toBe(true);
  },
  MISSING,
);

labTest(
  'a Linux VM sideloads: by the host’s end of its link and by Android’s address; a LAN neighbour does not',
  async () => {
    const { lab, client } = rig;
    await adbdOn(lab.host, CONTAINER_SOCKET);
    const sessions = await SessionManager.start(lab.bus.outside, true);
    await startProxy(lab.host, []);
    await startArcContainer({ lab, client });
    const vm = await startTermina({ lab, client }, 5);
    const { guest, link, gateway } = vm;
    await listens(lab.host, [...LOOPBACK, `${gateway}:5555 on ${link}`]);
    const adb = await Adb.start(guest, lab.host);
    await useDevice(adb, lab.host, `${gateway}:5555`);
    expect(await adb.run('connect', '100.115.92.2:5555')).toMatch(/connected to/);
    expect(await adb.run('-s', '100.115.92.2:5555', 'shell', 'echo hi')).toBe('hi');
    expect(await lab.host.shell(`cat /proc/sys/net/ipv4/conf/${link}/route_localnet`)).toBe('0\n');

    await lab.lanhost.ok('ip', ['route', 'add', `${gateway}/32`, 'via', STANDARD.host.v4]);
    expect(await stays(lab.lanhost, gateway)).toBe(false);
    expect(await stays(lab.lanhost, STANDARD.host.v4)).toBe(false);
    expect(await stays(guest, gateway)).toBe(true);
    await vm.stop();
    await listens(lab.host, LOOPBACK);
    sessions.close();
  },
  MISSING,
);

labTest(
  'sideloading off, or never allowed: nothing is open',
  async () => {
    const { lab, client } = rig;
    await adbdOn(lab.host, CONTAINER_SOCKET);
    const sessions = await SessionManager.start(lab.bus.outside, false);
    await startArcContainer({ lab, client });
    for (const args of [[], ['--allow', 'never']]) {
      const proxy = await startProxy(lab.host, args);
      await until('it knows of Android', async () =>
        JSON.stringify(await statusOf(lab.host)).includes('container'),
      );
      expect((await statusOf(lab.host)).allowed).toBe(false);
      expect(await stays(lab.host, '127.0.0.1')).toBe(false);
      expect((await proxy.stop()).code).toBe(0);
    }
    sessions.close();
  },
  MISSING,
);
