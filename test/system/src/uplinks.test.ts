import { seconds } from '@pp/base';
import {
  ApiClient,
  labTest,
  pings,
  reaches,
  STANDARD,
  standardLab,
  startManager,
  startTransfer,
  until,
  type Guest,
  type Host,
} from '@pp/lab';
import { GuestRig, UPLINK_ARGS } from './guest-rig';

/** The host's network changes under its guests. Uplinks by name: eth0 (metric 100), eth1 (200). */

const { v4: INTERNET } = STANDARD.internet;

let rig: GuestRig;
beforeEach(async () => {
  rig = await GuestRig.open();
}, seconds(60));
afterEach(() => rig.close(), seconds(60));

async function connected(name: string, wishes: object): Promise<Guest> {
  const guest = await rig.lab.guest(name);
  await rig.client.connect({ pid: guest.pid, ...wishes });
  return guest;
}

/** Packets that came in by an interface of a router. */
const passed = async (router: Host, ifname: string): Promise<number> =>
  Number(await router.ok('cat', [`/sys/class/net/${ifname}/statistics/rx_packets`]));

const conntrack = (...args: readonly string[]): Promise<string> =>
  rig.lab.host.ok('conntrack', ['-L', ...args]);

labTest('the default route moves: new flows follow, those of the unchanged uplink live on', async () => {
  const { host, router } = rig.lab;
  const guest = await connected('guest', {});
  const transfer = await startTransfer(guest, INTERNET);
  await host.shell('ip route add default via 192.168.88.1 dev eth1 metric 50');
  const isEth1 = async (): Promise<boolean> =>
    (await host.ok('ip', ['rule', 'show', 'pref', '32763'])).includes('lookup 1003');
  await until('guests follow', isEth1);
  await transfer.goesOn(200_000);
  const before = await passed(router, 'lan');
  expect(await reaches(guest, INTERNET)).toBe(true);
  expect(await conntrack('-p', 'icmp')).toContain('dst=192.168.88.2');
  await until('the transfer still goes by eth0', async () => (await passed(router, 'lan')) > before);
  expect(await transfer.finish()).toBeGreaterThan(0);
});

labTest('an uplink is renumbered: what was known by its old address is forgotten, guests go on', async () => {
  const { host } = rig.lab;
  const guest = await connected('guest', {});
  expect(await reaches(guest, INTERNET)).toBe(true);
  await host.run('ping', ['-n', '-c', '1', '-W', '2', INTERNET]);
  expect(await conntrack('-p', 'icmp')).toContain('dst=192.168.77.2 ');
  await host.shell(`ip addr del 192.168.77.2/24 dev eth0; ip addr add 192.168.77.9/24 dev eth0
    ip route replace default via 192.168.77.1 dev eth0 proto dhcp metric 100`);
  await until(
    'nothing is left of the old address',
    async () => !(await conntrack()).includes('192.168.77.2 '),
  );
  await until('guests are on the new one', async () => {
    await pings(guest, INTERNET); // by the other uplink, as long as eth0 is without its route
    return (await conntrack('-p', 'icmp')).includes('dst=192.168.77.9 ');
  });
});

labTest('an uplink is made anew under its name: who is pinned to it works again', async () => {
  const { host, lab } = rig.lab;
  const guest = await connected('guest', { outboundPhysicalDevice: 'eth1' });
  expect(await reaches(guest, INTERNET)).toBe(true);
  await host.shell('ip link del eth1');
  await until('it leads nowhere', async () => !(await pings(guest, INTERNET)));
  await lab.plug(host, 'lan2', { ifname: 'eth1', mac: '02:50:50:00:88:02', addresses: ['192.168.88.2/24'] });
  await host.shell('ip route add default via 192.168.88.1 dev eth1 metric 200');
  await until('it works again', () => pings(guest, INTERNET));
});

labTest(
  'links of guests follow the MTU of their uplink, at both ends, and segments are clamped',
  async () => {
    const { host, internet } = rig.lab;
    const guest = await connected('guest', { outboundPhysicalDevice: 'eth1' });
    const mtus = async (): Promise<readonly number[]> => [
      await mtuOf(host, 'arc_ns1'),
      await mtuOf(guest, 'veth1'),
    ];
    expect(await mtus()).toEqual([1500, 1500]);
    await host.shell('ip link set eth1 mtu 1400');
    await until('both ends follow', async () => (await mtus()).join() === '1400,1400');
    await guest.shell('ip link set veth1 mtu 1500'); // it believes more than is true
    const heard = internet.spawn('tcpdump', [
      '-n',
      '-l',
      '-c',
      '1',
      '-i',
      'eth0',
      'tcp[tcpflags] == tcp-syn',
    ]);
    await heard.line('sign of listening', (line) => (line.includes('listening') ? true : undefined));
    const transfer = await startTransfer(guest, INTERNET);
    await transfer.finish();
    await heard.exited;
    expect(heard.stdout).toContain('mss 1360');
    await host.shell('ip link set eth1 mtu 1500');
    await until('both ends follow', async () => (await mtus()).join() === '1500,1500');
  },
);

labTest(
  'an IPv4 default route by an IPv6 gateway (RFC 8950) is followed, at run time and at start',
  async () => {
    const { host, router } = rig.lab;
    const guest = await connected('guest', { outboundPhysicalDevice: 'eth0' });
    const gateway = (await router.shell(`ip -6 addr show dev lan scope link | grep -o 'fe80[^/]*'`)).trim();
    await host.shell(`ip route del default dev eth0
      ip -4 route add default via inet6 ${gateway} dev eth0 metric 100`);
    const isMirrored = async (): Promise<boolean> =>
      (await host.ok('ip', ['-4', 'route', 'show', 'table', '1002'])).includes(`via inet6 ${gateway}`);
    await until('our table has it', isMirrored);
    expect(await reaches(guest, INTERNET)).toBe(true);
    await rig.manager.kill();
    rig.manager = await startManager(host, { args: UPLINK_ARGS });
    expect(await isMirrored()).toBe(true);
  },
);

labTest(
  'a default route by a nexthop object is followed, also where the kernel tells its id alone',
  async () => {
    const { host } = rig.lab;
    const guest = await connected('guest', { outboundPhysicalDevice: 'eth0' });
    await host.shell(`sysctl -qw net.ipv4.nexthop_compat_mode=0
    ip nexthop add id 7 via 192.168.77.1 dev eth0
    ip route replace default nhid 7 metric 100`);
    expect(await host.ok('ip', ['-4', 'route', 'show', 'default', 'metric', '100'])).not.toContain('via');
    const isMirrored = async (): Promise<boolean> =>
      (await host.ok('ip', ['-4', 'route', 'show', 'table', '1002'])).includes('default via 192.168.77.1');
    await host.shell('ip route add 198.51.100.0/24 nhid 7'); // what is mirrored after it was read after the default route
    await until('our table has what came after', async () =>
      (await host.ok('ip', ['-4', 'route', 'show', 'table', '1002'])).includes('198.51.100.0/24'),
    );
    expect([await isMirrored(), await reaches(guest, INTERNET)]).toEqual([true, true]);
  },
);

labTest(
  'an uplink too small for IPv6 leaves guests theirs, and has its own again when it grows',
  async () => {
    const { host } = rig.lab;
    const ipv6 = (ifname: string, leaf: string): Promise<string> =>
      host.ok('cat', [`/proc/sys/net/ipv6/conf/${ifname}/${leaf}`]);
    const acceptRa = await ipv6('eth0', 'accept_ra');
    const before = await rig.client.connect({ pid: -1 });
    await host.shell('ip link set eth0 mtu 1000');
    await until('guests follow', async () => (await mtuOf(host, before.reply.hostIfname)) === 1280);
    const guest = await rig.lab.guest('guest');
    const { reply } = await rig.client.connect({ pid: guest.pid });
    const link = reply.hostIfname;
    expect([await mtuOf(host, link), await ipv6(link, 'accept_ra')]).toEqual([1280, '0\n']);
    expect(await reaches(guest, INTERNET)).toBe(true);
    await host.shell('ip link set eth0 mtu 1500');
    await until('the guest follows', async () => (await mtuOf(host, link)) === 1500);
    expect(await ipv6(link, 'accept_ra')).toBe('0\n');
    await until('the uplink hears routers', async () => (await ipv6('eth0', 'accept_ra')) === acceptRa);
  },
);

async function mtuOf(place: Guest | Host, ifname: string): Promise<number> {
  const [link] = (await place.json('ip', '-j', 'link', 'show', ifname)) as [{ readonly mtu: number }];
  return link.mtu;
}

/** As wg-quick does it: rules without a priority. The far end of its link answers nothing, and counts. */
const WG_QUICK = `
  ip link add wg0 type veth peer name wgfar
  ip link set wgfar up
  ip addr add 10.66.0.2/24 dev wg0
  ip link set wg0 up
  ip route add default dev wg0 table 51820
  ip rule add not fwmark 51820 table 51820
  ip rule add table main suppress_prefixlength 0`;

for (const when of ['before', 'after'] as const) {
  labTest(
    `with the rules of wg-quick from ${when} our start, who is not routed as user stays on its uplink`,
    async () => {
      const lab = await standardLab({ secondUplink: true });
      try {
        if (when === 'before') await lab.host.shell(WG_QUICK);
        const manager = await startManager(lab.host, { args: UPLINK_ARGS });
        const client = await ApiClient.open(lab.bus.outside);
        const [pinned, other, user] = await Promise.all(
          ['pinned', 'other', 'user'].map((name) => lab.guest(name)),
        );
        await client.connect({ pid: pinned?.pid ?? 0, outboundPhysicalDevice: 'eth1' });
        await client.connect({ pid: other?.pid ?? 0 });
        await client.connect({ pid: user?.pid ?? 0, routeOnVpn: true });
        if (when === 'after') await lab.host.shell(WG_QUICK);
        for (const guest of [pinned, other])
          await until(`${guest?.name} reaches the Internet`, () => guest && pings(guest, INTERNET));
        const before = await passed(lab.host, 'wgfar');
        await until('the user goes into the tunnel, which answers nothing', async () => {
          const answered = user && (await pings(user, INTERNET));
          return !answered && (await passed(lab.host, 'wgfar')) > before;
        });
        await lab.host.shell(
          'ip rule del table main suppress_prefixlength 0; ip rule del not fwmark 51820 table 51820',
        );
        await until('all is as without it', () => user && pings(user, INTERNET));
        await until('our rules are where they were', async () =>
          (await lab.host.ok('ip', ['rule', 'show', 'pref', '1000'])).includes('suppress_prefixlength 1'),
        );
        client.close();
        await manager.stop();
      } finally {
        await lab.close();
      }
    },
  );
}
