import {
  labTest,
  pings,
  reaches,
  seenAs,
  STANDARD,
  startArcContainer,
  startArcVm,
  startPeerEcho,
  UNWANTED,
  until,
} from '@pp/lab';
import { NetworkDeviceChangedSignalEvent } from '@pp/proto';
import { GuestRig } from './guest-rig';

/** ARC has a device for each uplink, and follows them as they come and go. */

const { internet, host: uplink } = STANDARD;

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

const devices = async (): Promise<readonly string[]> =>
  (await rig.client.ask('GetDevices', {})).devices.map(({ ifname }) => ifname);

const hasDevices = (...wanted: readonly string[]): Promise<unknown> =>
  until(`ARC has ${wanted.join(' ')}`, async () => (await devices()).join(' ') === wanted.join(' '));

async function addWifi(): Promise<void> {
  const plug = { ifname: 'wlan0', mac: '02:50:50:00:88:42', addresses: ['192.168.88.42/24'] };
  await rig.lab.lab.plug(rig.lab.host, 'lan2', plug);
  await rig.lab.host.ok('ip', [
    'route',
    'add',
    'default',
    'via',
    '192.168.88.1',
    'dev',
    'wlan0',
    'metric',
    '600',
  ]);
}

const SHOW_WIFI = ['link', 'show', 'dev', 'wlan0'] as const;

const removeWifi = (): Promise<unknown> => rig.lab.host.ok('ip', ['link', 'del', 'wlan0']);

labTest('a bridge of ARC remembers none of the Ethernet addresses that Android makes up', async () => {
  const arc = await startArcContainer(rig);
  for (const last of [1, 2, 3]) {
    await arc.guest.ok('ip', ['link', 'set', arc.ifname, 'address', `02:aa:aa:aa:aa:0${last}`]);
    await arc.guest.run('ping', ['-c1', '-W1', arc.gateway]);
  }
  const known = (await rig.lab.host.json('bridge', '-j', 'fdb', 'show', 'br', arc.link)) as { mac: string }[];
  expect(known.filter(({ mac }) => mac.startsWith('02:aa'))).toEqual([]);
  await arc.stop();
  await rig.expectIdle();
});

labTest('each uplink that comes gives ARC a device, each that goes takes its own away', async () => {
  const changes: string[] = [];
  const stop = await rig.client.onDeviceChanged(({ device, event }) => {
    const sign = event === NetworkDeviceChangedSignalEvent.DEVICE_ADDED ? '+' : '-';
    changes.push(`${sign}${device?.ifname}`);
  });
  const arc = await startArcContainer(rig);
  for (let round = 0; round < 3; round++) {
    await addWifi();
    await hasDevices('arc_eth0', 'arc_eth1', 'arc_wlan0');
    expect(await reaches(arc.guest, '100.115.92.13')).toBe(true);
    await arc.guest.ok('ip', ['route', 'replace', `${internet.v4}/32`, 'via', '100.115.92.13']);
    expect(await seenAs(arc.guest, internet.v4)).toBe('192.168.88.42'); // by that uplink, not by the default one
    await removeWifi();
    await hasDevices('arc_eth0', 'arc_eth1');
    await until('its link has gone', async () => (await arc.guest.run('ip', SHOW_WIFI)).code !== 0); // REMOVED comes before that
    expect(await seenAs(arc.guest, internet.v4)).toBe(uplink.v4);
  }
  await arc.stop();
  await until('the last signals are here', () => changes.length === 10);
  expect(changes).toEqual([
    ...['+arc_eth0', '+arc_eth1'],
    ...['+arc_wlan0', '-arc_wlan0', '+arc_wlan0', '-arc_wlan0', '+arc_wlan0', '-arc_wlan0'],
    ...['-arc_eth0', '-arc_eth1'],
  ]);
  stop();
  await rig.expectIdle();
});

labTest(
  "ARC VM: a new uplink's bridge takes the TAP of its kind, which stays when the uplink goes",
  async () => {
    await rig.client.ask('ArcVmStartup', { cid: 3 });
    const portOf = async (): Promise<string | undefined> => {
      const [link] = (await rig.lab.host.json('ip', '-j', 'link', 'show', 'dev', 'vmtap3')) as {
        master?: string;
      }[];
      return link?.master;
    };
    expect(await portOf()).toBeUndefined();
    await addWifi();
    await hasDevices('arc_eth0', 'arc_eth1', 'arc_wlan0');
    expect(await portOf()).toBe('arc_wlan0');
    await removeWifi();
    await hasDevices('arc_eth0', 'arc_eth1');
    await until('the TAP is free', async () => (await portOf()) === undefined);
    await rig.client.ask('ArcVmShutdown', { cid: 3 });
    await rig.expectIdle();
  },
);

labTest('a connection from the LAN that no socket of the host wants is for ARC', async () => {
  const { host, lanhost } = rig.lab;
  const ask = (port: number): Promise<string | undefined> => seenAs(lanhost, uplink.v4, port);
  const isDeaf = async (port: number): Promise<boolean> =>
    (await seenAs(lanhost, uplink.v4, port, UNWANTED)) === undefined;
  expect(await isDeaf(7)).toBe(true);
  const arc = await startArcVm(rig, 3);
  const android = await startPeerEcho(arc.guest, ['tcp:7', 'http:7777']); // HTTP says nothing before it is asked
  expect(await ask(7)).toBe(STANDARD.lanhost.v4);
  expect(await isDeaf(7777)).toBe(true);
  const server = await startPeerEcho(host, ['tcp:7777']);
  expect(await ask(7777)).toBe(STANDARD.lanhost.v4); // it is the host's own now
  await server.stop();
  await android.stop();
  await arc.stop();
  expect(await isDeaf(7)).toBe(true);
  await rig.expectIdle();
});

labTest('an uplink that is down keeps its device; traffic goes its way again when it is up', async () => {
  const arc = await startArcVm(rig, 3);
  await rig.lab.host.ok('ip', ['link', 'set', 'eth0', 'down']);
  expect(await reaches(arc.guest, arc.gateway)).toBe(true);
  expect(await pings(arc.guest, internet.v4)).toBe(false); // and not by eth1, which is up
  await rig.lab.host.shell(`
    ip link set eth0 up
    ip route replace default via 192.168.77.1 dev eth0 proto dhcp metric 100`);
  await until('traffic goes its way again', () => pings(arc.guest, internet.v4));
  expect(await seenAs(arc.guest, internet.v4)).toBe(uplink.v4);
  await arc.stop();
});
