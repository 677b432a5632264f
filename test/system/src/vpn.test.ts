import { millis, seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  pings,
  reaches,
  secondUidMissing,
  seenAs,
  STANDARD,
  startArcVm,
  startNameServer,
  startTermina,
  until,
  type Child,
  type Guest,
  type Place,
} from '@pp/lab';
import { encode, SetDnsRedirectionRuleRequestRuleType as Type } from '@pp/proto';
import { existsSync } from 'node:fs';
import { dice } from './dice';
import { forwardIpv6 } from './port-probe';
import { FAR, SESSION, VPNS, VpnRig, type Vpn } from './vpn-rig';

/*
 * Debian's openvpn as the VPN. The router counts and drops what comes for the far address in the open, so an answer from there came
 * through a tunnel.
 *
 *   VPN_SWITCHES=200 VPN_RATE=10000 npx jest vpn.test
 */

const SWITCHES = Number(process.env['VPN_SWITCHES'] ?? 6);
/** Packets a second, of a guest and of the session's user together. */
const RATE = Number(process.env['VPN_RATE'] ?? 2000);
const SEED = Number(process.env['SEED'] ?? 20_260_101);

const missing = (): string | undefined =>
  labMissing() ??
  secondUidMissing() ??
  (existsSync('/usr/sbin/openvpn') ? undefined : "Debian's openvpn") ??
  (existsSync('/usr/bin/dig') ? undefined : 'dig of bind9-dnsutils') ??
  (existsSync('/dev/net/tun') ? undefined : '/dev/net/tun');

const vpnTest = (name: string, run: (rig: VpnRig) => Promise<void>, atMost = seconds(90)): void => {
  labTest(
    name,
    async () => {
      const rig = await VpnRig.open();
      try {
        await run(rig);
      } finally {
        await rig.close();
      }
    },
    missing(),
    atMost,
  );
};

/** A client process connected with these wishes. */
async function connected(rig: VpnRig, name: string, wishes: object): Promise<Guest> {
  const guest = await rig.lab.guest(name);
  await rig.client.connect({ pid: guest.pid, ...wishes });
  return guest;
}

/** Datagrams of the session's user come out of the tunnel. */
async function expectUserTunnelled(rig: VpnRig, vpn: Vpn): Promise<void> {
  const before = await rig.tunnelled(vpn);
  await until('they come out of the tunnel', async () => {
    expect((await rig.traffic(rig.lab.host, 200, 200, SESSION).exited).code).toBe(0); // for so long; how many is the machine's
    return (await rig.tunnelled(vpn)) - before >= 15;
  });
}

vpnTest(
  'a VPN that covers the default route leads guests routed as user, and nobody else, until it goes',
  async (rig) => {
    const { lab } = rig;
    const user = await connected(rig, 'user', { routeOnVpn: true });
    const other = await connected(rig, 'other', {});
    const pinned = await connected(rig, 'pinned', { outboundPhysicalDevice: 'eth0', routeOnVpn: true });
    const vm = await startTermina({ lab, client: rig.client }, 5);
    const android = await startArcVm({ lab, client: rig.client }, 7);
    await android.guest.shell('ip route del default; ip route add default via 100.115.92.1 dev arc0');
    expect(await rig.leaked()).toBe(0);
    expect(await pings(user, FAR)).toBe(false);
    expect(await rig.leaked()).toBe(1);

    await rig.up(VPNS.first);
    for (const guest of [user, vm.guest, android.guest]) expect(await reaches(guest, FAR)).toBe(true);
    await expectUserTunnelled(rig, VPNS.first);
    expect(await rig.leaked()).toBe(0);
    for (const guest of [other, pinned]) expect(await pings(guest, FAR)).toBe(false);
    expect(await rig.leaked()).toBe(2);

    await rig.down(VPNS.first, 'stop');
    expect(await pings(user, FAR)).toBe(false);
    expect(await rig.leaked()).toBe(1);
    expect(await reaches(user, '203.0.113.10')).toBe(true);
  },
);

vpnTest('lookups that are led to a proxy on this host do not go by the VPN', async (rig) => {
  const { lab, client } = rig;
  const proxy = await connected(rig, 'proxy', {});
  await startNameServer(proxy, { 'router.lab': '10.53.0.1' });
  const vm = await startTermina({ lab, client }, 5);
  for (const who of [{ type: Type.DEFAULT, inputIfname: vm.link }, { type: Type.USER }]) {
    const rule = { ...who, proxyAddress: '100.115.92.130' };
    const [, send] = client.native.pipe(); // the lifeline lasts as long as this process
    await client.raw('SetDnsRedirectionRule', encode('SetDnsRedirectionRuleRequest', rule), [send]);
    client.native.closeFd(send);
  }
  const lookUp = ['@198.51.100.53', 'router.lab', '+short', '+tries=2', '+time=1'];
  const asSession = ['--reuid', SESSION, '--clear-groups', '--', 'dig', ...lookUp];
  const answers = async (): Promise<string> => {
    const asked = [vm.guest.run('dig', lookUp), lab.host.run('setpriv', asSession)];
    return (await Promise.all(asked)).map(({ stdout }) => stdout.trim()).join();
  };
  await until('the proxy answers both', async () => (await answers()) === '10.53.0.1,10.53.0.1');
  await rig.up(VPNS.first);
  expect(await reaches(vm.guest, FAR)).toBe(true);
  await until('it still does', async () => (await answers()) === '10.53.0.1,10.53.0.1');
});

vpnTest("lockdown, with and without a VPN: what is the user's leaves by a VPN or not at all", async (rig) => {
  const { lab, client } = rig;
  const user = await connected(rig, 'user', { routeOnVpn: true });
  const other = await connected(rig, 'other', {});
  const vm = await startTermina({ lab, client }, 5);
  await client.ask('SetVpnLockdown', { enableVpnLockdown: true });
  for (const guest of [user, vm.guest]) expect(await pings(guest, '203.0.113.10')).toBe(false);
  expect((await rig.traffic(lab.host, 100, 200, SESSION).exited).code).toBe(0);
  expect(await rig.leaked()).toBe(0);
  expect(await reaches(other, '203.0.113.10')).toBe(true);
  expect(await reaches(user, '100.115.92.129')).toBe(true); // its gateway

  await rig.up(VPNS.first);
  for (const guest of [user, vm.guest]) expect(await reaches(guest, FAR)).toBe(true);
  await expectUserTunnelled(rig, VPNS.first);

  await rig.down(VPNS.first, 'kill');
  for (const guest of [user, vm.guest]) expect(await pings(guest, FAR)).toBe(false);
  expect(await rig.leaked()).toBe(0);

  await rig.restart('kill');
  expect((await rig.status()).vpn.lockdown).toBe(true);
  expect(await pings(vm.guest, '203.0.113.10')).toBe(false);
  await client.ask('SetVpnLockdown', { enableVpnLockdown: false });
  expect(await reaches(vm.guest, '203.0.113.10')).toBe(true);
  await client.ask('SetVpnLockdown', { enableVpnLockdown: true });
  await rig.restart('stop');
  expect((await rig.status()).vpn.lockdown).toBe(true);
});

vpnTest('what a process of the user leaves to be sent when it ends is held back by lockdown', async (rig) => {
  const { host, router } = rig.lab;
  await router.shell(`nft add counter inet far session
    nft add rule inet far forward ip saddr ${STANDARD.host.v4} tcp dport 7 counter name session`);
  const talk = `exec 3<>/dev/tcp/${STANDARD.internet.v4}/7; read -r line <&3; echo connected; read -r go; echo secret >&3`;
  const as = ['--reuid', SESSION, '--clear-groups', 'bash', '-c', talk];
  const process = host.spawn('setpriv', as, { stdio: 'open' });
  await process.line('a connection', (line) => (line === 'connected' ? true : undefined));
  await rig.client.ask('SetVpnLockdown', { enableVpnLockdown: true });
  await router.ok('nft', ['reset', 'counter', 'inet', 'far', 'session']);
  process.write('go\n');
  expect((await process.exited).code).toBe(0);
  const packets = async (place: Place, table: string, counter: string): Promise<number> =>
    Number(/packets (\d+)/.exec(await place.ok('nft', ['list', 'counter', 'inet', table, counter]))?.[1]);
  // What it wrote and its end, and the kernel tries again: 0.2 s, 0.4 s, 0.8 s later.
  await until('it is rejected', async () => (await packets(host, 'patchpanel', 'reject_lockdown')) >= 4);
  expect(await packets(router, 'far', 'session')).toBe(0);
});

vpnTest('a neighbour that routes by the host is not seen as the host behind its VPN', async (rig) => {
  await rig.up(VPNS.first);
  const server = `${VPNS.first.net}.1`;
  await rig.lab.lanhost.ok('ip', ['route', 'add', server, 'via', STANDARD.host.v4]);
  expect(await seenAs(rig.lab.host, server)).toBe(`${VPNS.first.net}.2`);
  expect(await seenAs(rig.lab.lanhost, server)).toBe(STANDARD.lanhost.v4); // here it knows a way back, by the router
});

vpnTest('IPv6 of no connection does not enter a VPN with the address of a guest', async (rig) => {
  const { host } = rig.lab;
  const guest = await rig.lab.guest('guest');
  const { reply } = await rig.client.connect({ pid: guest.pid, routeOnVpn: true });
  await rig.up(VPNS.first);
  await host.shell(`ip -6 addr add fd00:8::2/64 dev tun1 nodad
    ip -6 addr add fd00:5::1/64 dev ${reply.hostIfname} nodad
    ip -6 route add default dev tun1 metric 1
    nft add table inet seen
    nft add counter inet seen ours
    nft add counter inet seen host
    nft add chain inet seen leave '{ type filter hook postrouting priority 300; }'
    nft add rule inet seen leave oifname tun1 ip6 saddr fd00:5::2 counter name ours
    nft add rule inet seen leave oifname tun1 ip6 saddr fd00:8::2 icmpv6 type echo-request counter name host`);
  await forwardIpv6(host, reply.hostIfname);
  const packets = async (table: string, name: string): Promise<number> =>
    Number(/packets (\d+)/.exec(await host.ok('nft', ['list', 'counter', 'inet', table, name]))?.[1]);
  // The manager takes IPv6 of a new namespace down and up once.
  const ask = () =>
    guest.shell(`ip -6 addr replace fd00:5::2/64 dev ${reply.peerIfname} nodad
      ip -6 route replace default via fd00:5::1 dev ${reply.peerIfname}
      ping -n -c 1 -W 1 2001:db8:ffff::77 || true`);
  await until('it asks by the VPN, as the host', async () => {
    await ask();
    return (await packets('seen', 'host')) > 0;
  });
  await guest.shell(`nft add table inet answers
    nft add chain inet answers out '{ type filter hook output priority 0; }'
    nft add rule inet answers out icmpv6 type echo-request icmpv6 type set echo-reply`);
  const before = await packets('patchpanel', 'drop_invalid');
  await until('what answers nobody is dropped', async () => {
    await ask();
    return (await packets('patchpanel', 'drop_invalid')) > before || (await packets('seen', 'ours')) > 0;
  });
  expect(await packets('seen', 'ours')).toBe(0);
});

vpnTest("SetVpnIntent on a socket: only its wish changes, and it stands above the user's", async (rig) => {
  await rig.up(VPNS.first);
  const socket = rig.udpSocket();
  try {
    rig.setMark(socket.fd, 0x1);
    for (const [policy, bits] of [
      [1, 0x8000],
      [2, 0x4000],
      [0, 0],
    ] as const) {
      await rig.client.raw('SetVpnIntent', encode('SetVpnIntentRequest', { policy }), [socket.fd]);
      expect(rig.markOf(socket.fd)).toBe(bits | 0x1);
    }
    rig.setMark(socket.fd, 0);
    await rig.client.raw('SetVpnIntent', encode('SetVpnIntentRequest', { policy: 2 }), [socket.fd]);
    await rig.leaked();
    socket.send(new Uint8Array(10), FAR, 9000);
    await until('it went past the VPN', async () => (await rig.leaked()) === 1);
    await rig.client.raw('SetVpnIntent', encode('SetVpnIntentRequest', { policy: 1 }), [socket.fd]);
    const before = await rig.tunnelled(VPNS.first);
    for (let n = 0; n < 20; n++) socket.send(new Uint8Array(10), FAR, 9000);
    await until('they went into the VPN', async () => (await rig.tunnelled(VPNS.first)) - before >= 20);
    expect(await rig.leaked()).toBe(0);
  } finally {
    socket.close();
  }
});

/** One switch: nothing up, or one of the two; it ends as it should or is lost, and its place may be taken at once. */
async function switchOnce(rig: VpnRig, up: Vpn | null, roll: (sides: number) => number): Promise<Vpn | null> {
  const next = roll(2) === 0 ? VPNS.first : VPNS.second;
  if (up === null) {
    await rig.up(next);
    return next;
  }
  await rig.down(up, roll(2) === 0 ? 'stop' : 'kill');
  if (roll(2) === 0) return null;
  const other = up === VPNS.first ? VPNS.second : VPNS.first;
  await rig.up(other);
  return other;
}

vpnTest(
  `${SWITCHES} switches under lockdown at ${RATE} packets/s: nothing of it in the open (seed ${SEED})`,
  async (rig) => {
    const { lab, client } = rig;
    const user = await connected(rig, 'user', { routeOnVpn: true });
    await client.ask('SetVpnLockdown', { enableVpnLockdown: true });
    const forEver = 3_600_000;
    const streams: readonly Child[] = [
      rig.traffic(user, forEver, RATE / 2),
      rig.traffic(lab.host, forEver, RATE / 2, SESSION),
    ];
    const roll = dice(SEED);
    let up: Vpn | null = null;
    let tunnelled = 0;
    for (let n = 0; n < SWITCHES; n++) {
      up = await switchOnce(rig, up, roll);
      if (up === null) continue;
      const vpn: Vpn = up;
      const before = await rig.tunnelled(vpn);
      await until('traffic is in the tunnel', async () => (await rig.tunnelled(vpn)) - before > RATE / 10);
      tunnelled++;
    }
    expect(streams.map(({ isRunning }) => isRunning)).toEqual([true, true]);
    for (const stream of streams) stream.kill('SIGKILL');
    expect({ leaked: await rig.leaked(), hasTunnelled: tunnelled > 0 }).toEqual({
      leaked: 0,
      hasTunnelled: true,
    });
  },
  millis(60_000 + SWITCHES * 10_000),
);
