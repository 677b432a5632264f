import { seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  pings,
  reaches,
  secondUidMissing,
  STANDARD,
  startArcVm,
  startTermina,
  tapMissing,
  until,
  type Guest,
  type RunningGuest,
} from '@pp/lab';
import { existsSync } from 'node:fs';
import { SmallShill } from './small-shill';
import { FAR, SESSION, VPNS, VpnRig } from './vpn-rig';

/*
 * A VPN of an Android app as the host's: openvpn runs inside the guest that plays Android, and the host leads the user's traffic there by
 * arcbr0. The router counts and drops what comes for the far address in the open, so an answer from there came through the tunnel.
 */

const missing = (): string | undefined =>
  labMissing() ??
  secondUidMissing() ??
  tapMissing() ??
  (existsSync('/usr/sbin/openvpn') ? undefined : "Debian's openvpn");

const ARC_CID = 7;
/** What tells the manager of Android's VPN on a host without shill. */
const LEAD_INTO_ANDROID = 'ip route add default via 100.115.92.2 dev arcbr0 metric 50';
const LEAD_BACK = 'ip route del default dev arcbr0 metric 50';

interface World {
  readonly rig: VpnRig;
  readonly user: Guest;
  readonly vm: Guest;
  readonly android: RunningGuest;
}

/** The rig with a namespace and a VM that are routed as user, and Android, whose app has the VPN up. */
async function openWorld(args?: readonly string[], before?: (rig: VpnRig) => Promise<void>): Promise<World> {
  const rig = await VpnRig.open(args === undefined ? {} : { args });
  try {
    await before?.(rig);
    const { lab, client } = rig;
    const user = await connected(rig, 'user', { routeOnVpn: true });
    const vm = await startTermina({ lab, client }, 5);
    const android = await startArcVm({ lab, client }, ARC_CID);
    await rig.upInAndroid(android.guest, VPNS.first);
    expect(await reaches(android.guest, '10.8.0.1')).toBe(true);
    return { rig, user, vm: vm.guest, android };
  } catch (fault) {
    await rig.close();
    throw fault;
  }
}

async function connected(rig: VpnRig, name: string, wishes: object): Promise<Guest> {
  const guest = await rig.lab.guest(name);
  await rig.client.connect({ pid: guest.pid, ...wishes });
  return guest;
}

/** Datagrams of the session's user come out of the tunnel. */
async function expectUserTunnelled(rig: VpnRig): Promise<void> {
  const before = await rig.tunnelled(VPNS.first);
  await until('they come out of the tunnel', async () => {
    expect((await rig.traffic(rig.lab.host, 200, 200, SESSION).exited).code).toBe(0); // for so long; how many is the machine's
    return (await rig.tunnelled(VPNS.first)) - before >= 15;
  });
}

/** The VPN may answer from any outside address, but for the host's own. */
async function expectHostsSourceRefused({ lab: { host } }: VpnRig, android: Guest): Promise<void> {
  const dropped = async (): Promise<number> => {
    const text = await host.ok('nft', ['list', 'counter', 'inet', 'patchpanel', 'drop_spoofed_ip4']);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  };
  const before = await dropped();
  await android.shell(`ip addr add ${STANDARD.host.v4}/32 dev lo`);
  await android.run('ping', ['-q', '-c', '1', '-W', '0.3', '-I', STANDARD.host.v4, '100.115.92.1']);
  await android.shell(`ip addr del ${STANDARD.host.v4}/32 dev lo`);
  await until('it is counted', async () => (await dropped()) > before);
  expect(await dropped()).toBe(before + 1);
}

/** The session's user reaches the Internet by IPv6. */
async function userPingsIpv6({ lab: { host } }: VpnRig): Promise<boolean> {
  await host.ok('sysctl', ['-q', '-w', 'net.ipv4.ping_group_range=0 2147483647']);
  const ping = ['ping', '-6', '-q', '-c', '1', '-W', '2', STANDARD.internet.v6];
  return (await host.run('setpriv', ['--reuid', SESSION, '--clear-groups', ...ping])).code === 0;
}

labTest(
  "Android's own VPN leads guests routed as user and the session's user, and nobody else, until it goes",
  async () => {
    const { rig, user, vm, android } = await openWorld();
    try {
      const other = await connected(rig, 'other', {});
      const pinned = await connected(rig, 'pinned', { outboundPhysicalDevice: 'eth0', routeOnVpn: true });
      expect(await rig.leaked()).toBe(0);
      expect(await pings(user, FAR)).toBe(false);
      expect(await rig.leaked()).toBe(1);
      await until('the user has IPv6', () => userPingsIpv6(rig));

      await rig.lab.host.shell(LEAD_INTO_ANDROID);
      await rig.expectVpn('arcbr0');
      for (const guest of [user, vm]) expect(await reaches(guest, FAR)).toBe(true);
      await expectUserTunnelled(rig);
      expect(await rig.leaked()).toBe(0);
      expect(await userPingsIpv6(rig)).toBe(false); // Android has no way for it
      for (const guest of [other, pinned]) expect(await pings(guest, FAR)).toBe(false);
      expect(await reaches(other, '203.0.113.10')).toBe(true);
      expect(await rig.leaked()).toBe(2);
      expect(await pings(vm, '100.115.92.2')).toBe(false); // Android itself is a guest to other guests, as before
      expect(await reaches(android.guest, '203.0.113.10')).toBe(true); // by its own device, not by its VPN

      await expectHostsSourceRefused(rig, android.guest);

      await rig.restart('kill'); // which namespaces do not outlive here
      await rig.expectVpn('arcbr0');
      expect(await reaches(vm, FAR)).toBe(true);

      await rig.lab.host.shell(LEAD_BACK);
      await until('no VPN is up', async () => (await rig.status()).vpn.ifname === '');
      expect(await rig.leaked()).toBe(0);
      expect(await pings(vm, FAR)).toBe(false);
      expect(await rig.leaked()).toBe(1);
      expect(await reaches(vm, '203.0.113.10')).toBe(true);
    } finally {
      await rig.close();
    }
  },
  missing(),
  seconds(90),
);

labTest(
  "lockdown covers Android's own VPN: nothing of the user's in the open while it comes, goes, and Android ends",
  async () => {
    const { rig, user, vm, android } = await openWorld();
    try {
      await rig.client.ask('SetVpnLockdown', { enableVpnLockdown: true });
      expect(await pings(vm, '203.0.113.10')).toBe(false);
      const streams = [rig.traffic(user, 3_600_000, 500), rig.traffic(rig.lab.host, 3_600_000, 500, SESSION)];
      for (let n = 0; n < 4; n++) {
        await rig.lab.host.shell(LEAD_INTO_ANDROID);
        await rig.expectVpn('arcbr0');
        const before = await rig.tunnelled(VPNS.first);
        await until('traffic is in the tunnel', async () => (await rig.tunnelled(VPNS.first)) - before > 100);
        if (n === 3) break;
        await rig.lab.host.shell(LEAD_BACK);
        await until('no VPN is up', async () => (await rig.status()).vpn.ifname === '');
      }
      await android.stop();
      await until('no VPN is up', async () => (await rig.status()).vpn.ifname === '');
      expect(await pings(vm, '203.0.113.10')).toBe(false);
      expect(streams.map(({ isRunning }) => isRunning)).toEqual([true, true]);
      expect(await rig.leaked()).toBe(0);
    } finally {
      await rig.close();
    }
  },
  missing(),
  seconds(90),
);

labTest(
  "with --network shill, a VPN service on arcbr0 is Android's own VPN",
  async () => {
    const eth0 = { ifname: 'eth0', type: 'ethernet', gateway: null };
    const ethernet = { device: 'eth0', type: 'ethernet', connected: true };
    const shills: SmallShill[] = [];
    const args = ['--session-user', SESSION, '--helpers', 'none', '--network', 'shill'];
    const { rig, user, vm } = await openWorld(args, async (opened) => {
      const shill = await SmallShill.open(opened.lab.bus.outside);
      shills.push(shill);
      await shill.start();
      shill.set([eth0], [ethernet]);
      await opened.expectUplinks('eth0');
    });
    const [shill] = shills;
    try {
      shill?.set([eth0], [{ device: 'arcbr0', type: 'vpn', connected: true }, ethernet]);
      await rig.expectVpn('arcbr0');
      for (const guest of [user, vm]) expect(await reaches(guest, FAR)).toBe(true);
      await expectUserTunnelled(rig);
      expect(await rig.leaked()).toBe(0);
      shill?.set([eth0], [ethernet]);
      await until('no VPN is up', async () => (await rig.status()).vpn.ifname === '');
      expect(await pings(user, FAR)).toBe(false);
      expect(await rig.leaked()).toBe(1);
    } finally {
      shill?.close();
      await rig.close();
    }
  },
  missing(),
  seconds(90),
);
