import { MemoryLog } from '@pp/base/testing';
import type { Native } from '@pp/native';
import { describeOnKernel, until } from '@pp/netlink/testing';
import type { InterfacesView } from '@pp/ports';
import { HOST_ROUTES_ROWS, MEMBERSHIPS_ROWS, PACKET_PORTS_ROWS, runHostRoutesRow } from '@pp/ports/testing';
import { toHex } from '@pp/wire/testing';
import { LinuxPacketPorts } from './linux-packet-ports';
import { NetlinkHostRoutes } from './netlink-host-routes';
import { NetlinkInterfaces } from './netlink-interfaces';
import { NftNeighborGuard } from './nft-neighbor-guard';
import { SystemClock, TestHost } from './testing';
import { UdpMemberships } from './udp-memberships';

const GONE = 4711;
const PROTOCOL = 81;

/** `native` whose sockets are of that namespace. */
const within = (native: Native, fd: number): Native => ({
  ...native,
  openNetlink: (options) => native.runInNetns(fd, () => native.openNetlink(options)),
  openPacket: (options) => native.runInNetns(fd, () => native.openPacket(options)),
  openUdp: (options) => native.runInNetns(fd, () => native.openUdp(options)),
});

describeOnKernel('the doors of ndproxy', (native) => {
  let host: TestHost;
  let inside: Native;

  beforeEach(() => {
    host = new TestHost(native);
    inside = within(native, host.fd);
    host.ip('link add near address 02:00:00:00:00:01 type veth peer name far address 02:00:00:00:00:02');
    for (const ifname of ['near', 'far']) host.ip(`link set ${ifname} up`);
    host.awaitCarrier('near', 'far');
  });

  afterEach(() => {
    host.close();
  });

  const ifindexOf = (ifname: string): number =>
    Number(/^(\d+):/.exec(host.ip(`-o link show dev ${ifname}`))?.[1]);

  test.each(HOST_ROUTES_ROWS)('routes: $name', async (row) => {
    const routes = new NetlinkHostRoutes(inside, PROTOCOL);
    host.ip('-6 route add 2001:db8::99/128 dev near'); // somebody else's
    const [first, second] = [ifindexOf('near'), ifindexOf('far')];
    expect(await runHostRoutesRow(row, { routes, first, second, gone: GONE })).toEqual(row.want);
    expect(host.ip('-6 route show')).toContain('2001:db8::99 dev near');
    routes.close();
  });

  test('a route keeps its source where the host has it, and is made without where not', async () => {
    const routes = new NetlinkHostRoutes(inside, PROTOCOL);
    host.ip('address add 2001:db8::a/64 dev far nodad');
    const ifindex = ifindexOf('near');
    const faults = await routes.change(
      [
        { address: '2001:db8::1', ifindex, source: '2001:db8::a' },
        { address: '2001:db8::2', ifindex, source: '2001:db8::b' },
      ],
      [],
    );
    expect(faults).toEqual([]);
    const shown = host.ip('-6 route show proto 81');
    expect(shown).toMatch(/2001:db8::1 dev near src 2001:db8::a/);
    expect(shown).toMatch(/2001:db8::2 dev near metric/);
    routes.close();
  });

  test.each(MEMBERSHIPS_ROWS)('memberships: $name', ({ run, want }) => {
    const memberships = new UdpMemberships(inside);
    const isMember = (group: Uint8Array): boolean =>
      host.run('cat', ['/proc/thread-self/net/igmp6']).includes(` ${toHex(group)} `);
    expect(run({ memberships, ifindex: ifindexOf('near'), gone: GONE, isMember })).toEqual(want);
    memberships.close();
  });

  test('memberships, also where lo is without IPv6', () => {
    host.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6']);
    const memberships = new UdpMemberships(inside);
    expect(memberships.join(ifindexOf('near'), Uint8Array.of(0xff, 2, ...new Uint8Array(13), 9))).toBe(true);
    memberships.close();
  });

  test('memberships: an interface with as many as the kernel allows leaves others theirs', () => {
    const memberships = new UdpMemberships(inside);
    const [near, far] = [ifindexOf('near'), ifindexOf('far')];
    const group = (n: number): Uint8Array =>
      Uint8Array.of(0xff, 2, ...new Uint8Array(9), 1, 0xff, n >> 16, n >> 8, n);
    let joined = 0;
    while (joined < 100_000 && memberships.join(near, group(joined))) joined += 1;
    expect(joined).toBeLessThan(100_000);
    expect(memberships.join(far, group(1))).toBe(true);
    memberships.leave(near, group(1));
    expect(memberships.join(near, group(joined))).toBe(true);
    memberships.close();
  });

  test.each(PACKET_PORTS_ROWS)('packet ports: $name', async ({ run, want }) => {
    const ports = new LinuxPacketPorts(inside, new SystemClock());
    const [near, far] = [ifindexOf('near'), ifindexOf('far')];
    expect(await run({ ports, near, far, gone: GONE })).toEqual(want);
    expect(host.ip('-d link show near')).not.toMatch(/allmulti [1-9]/);
  });

  test('an interface that goes down is told to the port, which serves again when it is up', async () => {
    const faults: string[] = [];
    const port = new LinuxPacketPorts(inside, new SystemClock()).open({
      ifindex: ifindexOf('near'),
      filter: [],
      onFrame: () => undefined,
      onBatchEnd: () => undefined,
      onFault: ({ code }) => void faults.push(code),
    });
    host.ip('link set near down');
    await until('the fault', () => faults.length > 0);
    expect(faults).toEqual(['ENETDOWN']);
    expect(() => port.send([new Uint8Array(60)])).toThrow(/ENETDOWN/);
    host.ip('link set near up');
    expect(port.send([new Uint8Array(60)])).toBe(1);
    port.close();
  });

  test('the guard is one table, which takes the place of what an earlier process left', async () => {
    const guard = new NftNeighborGuard(inside, 'pptest_guard');
    const shown = (): string => host.run('nft', ['-s', 'list', 'ruleset']);
    await guard.protect(['near', 'far'], 'neighbor discovery');
    expect(shown()).toMatch(/elements = \{ "(near|far)",\s+"(near|far)" \}/);
    const next = new NftNeighborGuard(inside, 'pptest_guard');
    await next.protect(['near'], 'all ipv6');
    next.close();
    expect(shown()).toContain('elements = { "near" }');
    expect(shown()).toContain('ip6 daddr != ff00::/8 fib daddr type != local counter drop');
    expect(shown()).not.toContain('icmpv6');
    await guard.remove();
    await guard.remove();
    expect(shown()).toBe('');
    guard.close();
  });

  test('interfaces are told at once and when they change', async () => {
    const views: InterfacesView[] = [];
    const news = new NetlinkInterfaces({ native: inside, clock: new SystemClock(), log: new MemoryLog() });
    await news.start((view) => views.push(view));
    const last = (): InterfacesView => views.at(-1) ?? { links: [], addresses: [] };
    const near = (): InterfacesView['links'][number] | undefined =>
      last().links.find(({ ifname }) => ifname === 'near');
    expect(near()).toMatchObject({ type: 1, kind: 'veth', mtu: 1500, mac: '02:00:00:00:00:01' });
    await until('it runs', () => near()?.running === true);
    host.ip('link set near mtu 1400 address 02:00:00:00:00:07');
    await until('its changes', () => near()?.mac === '02:00:00:00:00:07' && near()?.mtu === 1400);
    host.run('sysctl', ['-qw', 'net.ipv6.conf.near.dad_transmits=3']); // seconds, in which it is seen to be checked
    host.ip('address add 2001:db8::7/64 dev near');
    const usableIn = ({ addresses }: InterfacesView): boolean | undefined =>
      addresses.find(({ cidr }) => cidr === '2001:db8::7/64')?.usable;
    const usable = (): boolean | undefined => usableIn(last());
    await until('that it is nobody’s', () => usable() === true);
    expect(views.map(usableIn)).toContain(false); // checked first
    host.ip('address add 10.9.0.1 peer 10.9.0.2 dev near');
    host.ip('address add 2001:db8::9 peer 2001:db8::a dev near');
    const peers = (): readonly (string | undefined)[] => last().addresses.map(({ peer }) => peer);
    await until(
      'the other ends',
      () => peers().includes('10.9.0.2/32') && peers().includes('2001:db8::a/128'),
    );
    expect(last().addresses.find(({ peer }) => peer === '10.9.0.2/32')?.cidr).toBe('10.9.0.1/32');
    host.ip('link set near down');
    await until('it is down', () => near()?.running === false);
    host.ip('link del near');
    await until('it is gone, with its addresses', () => near() === undefined && usable() === undefined);
    news.close();
    const told = views.length;
    host.ip('link add after type veth peer name later');
    host.ip('link del after');
    expect(views.length).toBe(told);
  });
});
