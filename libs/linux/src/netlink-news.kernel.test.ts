import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { millis } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { Native } from '@pp/native';
import { describeOnKernel, until } from '@pp/netlink/testing';
import type { NetworkView } from '@pp/ports';
import { NetlinkNews } from './netlink-news';
import { NETNS, SystemClock, TAP, TestHost, VETH } from './testing';

describeOnKernel('news of the network', (native) => {
  let host: TestHost;
  let news: NetlinkNews;
  let views: NetworkView[];

  beforeEach(async () => {
    host = new TestHost(native);
    host.ip('link add eth0 type veth peer name wire');
    host.ip('link set wire up');
    views = [];
    news = new NetlinkNews({ native, clock: new SystemClock(), log: new MemoryLog(), netnsFd: host.fd });
    await news.start((view) => views.push(view));
  });

  afterEach(() => {
    news.close();
    host.close();
  });

  const last = (): NetworkView => views.at(-1) ?? { links: [], addresses: [], routes: [], markRules: [] };
  const eth0 = (): NetworkView['links'][number] | undefined =>
    last().links.find(({ ifname }) => ifname === 'eth0');
  const defaults = (): readonly unknown[] =>
    last()
      .routes.filter(({ dst }) => dst === '0.0.0.0/0')
      .map(({ via, metric, ifindex }) => ({ via, metric, own: ifindex === eth0()?.ifindex }));

  test('how it is, at once', () => {
    expect(views.map(({ links }) => links.map(({ ifname }) => ifname))).toEqual([['lo', 'wire', 'eth0']]);
    expect(eth0()).toMatchObject({ kind: 'veth', up: false, physical: false });
  });

  test('a link comes up, gets an address and a default route', async () => {
    host.ip('link set eth0 up');
    host.ip('address add 192.0.2.10/24 dev eth0');
    host.ip('route add default via 192.0.2.1 dev eth0 metric 100');
    await until('all of it', () => eth0()?.running === true && defaults().length === 1);
    expect(defaults()).toEqual([{ via: '192.0.2.1', metric: 100, own: true }]);
    expect(last().addresses).toContainEqual({ ifindex: eth0()?.ifindex, cidr: '192.0.2.10/24' });
    expect(last().routes).toContainEqual({
      family: 'ipv4',
      dst: '192.0.2.0/24',
      via: null,
      ifindex: eth0()?.ifindex,
      src: '192.0.2.10',
      metric: 0,
    });
  });

  test('default routes of nexthop objects of which the kernel tells the id alone', async () => {
    host.run('sysctl', ['-qw', 'net.ipv4.nexthop_compat_mode=0']);
    host.ip('link set eth0 up');
    host.ip('address add 192.0.2.10/24 dev eth0');
    host.ip('nexthop add id 1 via 192.0.2.1 dev eth0');
    host.ip('route add default nhid 1 metric 100');
    await until('the route', () => defaults().length === 1);
    expect(defaults()).toEqual([{ via: '192.0.2.1', metric: 100, own: true }]);
    host.ip('nexthop replace id 1 via 192.0.2.2 dev eth0'); // no word of the route
    await until('the other gateway', () => JSON.stringify(defaults()).includes('192.0.2.2'));
    host.ip('nexthop add id 2 via 192.0.2.1 dev eth0');
    host.ip('nexthop add id 3 group 1/2');
    host.ip('route replace default nhid 3 metric 100');
    await until('both gateways', () => defaults().length === 2);
    host.ip('nexthop del id 3'); // and with it the route
    await until('no route', () => defaults().length === 0);
  });

  test('of a router with more routes than are read, what guests cannot do without', async () => {
    const clock = new VirtualClock();
    host.ip('link set eth0 up');
    host.ip('address add 192.0.2.10/24 dev eth0');
    host.ip('route add default via 192.0.2.1 dev eth0');
    host.ip('route add 128.0.0.0/1 via 192.0.2.2 dev eth0');
    const batch = (verb: string, last: number): string =>
      host.run('sh', [
        '-c',
        `for i in $(seq ${last}); do echo "route ${verb} 10.$((i / 256)).$((i % 256)).0/24 via 192.0.2.3"; done | ip -batch -`,
      ]);
    batch('add', 5000);
    const router = new NetlinkNews({ native, clock, log: new MemoryLog(), netnsFd: host.fd });
    const seen: NetworkView[] = [];
    const routes = (): readonly string[] | undefined => seen.at(-1)?.routes.filter(({ family }) => family === 'ipv4').map(({ dst }) => dst); // prettier-ignore
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn++) await nextTurn();
    };
    await router.start((view) => seen.push(view));
    expect(seen.at(-1)?.routesAbove).toBe(4096);
    expect(routes()).toEqual(['0.0.0.0/0', '128.0.0.0/1', '192.0.2.0/24']);
    host.ip('route add 198.51.100.0/24 via 192.0.2.3'); // such come by the second
    await turns();
    expect(clock.pending()).toEqual(['network.crowd']);
    host.ip('route del default');
    await until('the other event', () => clock.pending().includes('network.gather'));
    clock.advance(millis(5));
    await until('no default route', () => routes()?.includes('0.0.0.0/0') === false);
    batch('del', 4000);
    await turns();
    expect(seen.at(-1)?.routesAbove).toBe(4096);
    clock.advance(millis(60_000));
    await until('all that are left', () => routes()?.length === 1000 + 3);
    expect(seen.at(-1)).not.toHaveProperty('routesAbove');
    router.close();
  });

  test('routes that go with their link, of which the kernel says nothing', async () => {
    host.ip('link set eth0 up');
    host.ip('address add 192.0.2.10/24 dev eth0');
    host.ip('route add default via 192.0.2.1 dev eth0');
    await until('the route', () => defaults().length === 1);
    host.ip('link set eth0 down');
    await until('no route', () => defaults().length === 0);
    expect(eth0()?.up).toBe(false);
  });

  test('a link goes and comes back under the same name', async () => {
    const before = eth0()?.ifindex;
    host.ip('link del eth0');
    await until('it is gone', () => eth0() === undefined);
    host.ip('link add eth0 type bridge');
    await until('it is back', () => eth0() !== undefined);
    expect([eth0()?.kind, eth0()?.ifindex === before]).toEqual(['bridge', false]);
  });

  test('a rule that looks at marks comes and goes', async () => {
    host.ip('rule add fwmark 0x80000/0xff0000 lookup main priority 5210');
    await until('the rule', () => last().markRules.length === 1);
    expect(last().markRules).toEqual([{ family: 'ipv4', priority: 5210, value: 0x80000, mask: 0xff0000 }]);
    host.ip('rule del priority 5210');
    await until('no rule', () => last().markRules.length === 0);
  });

  test('what is ours is never told', async () => {
    await host.kernel.apply([
      { do: 'netns.add', netns: NETNS },
      { do: 'link.add', link: VETH },
      { do: 'address.add', address: { ifname: VETH.ifname, cidr: '100.115.92.129/30' } },
    ]);
    await host.kernel.apply([{ do: 'link.del', link: VETH }]);
    host.ip('link add other type bridge'); // events come in order
    await until('the other link', () => last().links.some(({ ifname }) => ifname === 'other'));
    expect(JSON.stringify(views)).not.toContain(VETH.ifname);
  });

  const testTap = existsSync('/dev/net/tun') ? test : test.skip;
  testTap('for a TAP of ours nothing is read again', async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const openNetlink: Native['openNetlink'] = (options) => {
      const socket = native.openNetlink(options);
      const send = (message: Uint8Array): void => {
        asked++;
        socket.send(message);
      };
      return { ...socket, send };
    };
    const watched = new NetlinkNews({
      native: { ...native, openNetlink },
      clock,
      log: new MemoryLog(),
      netnsFd: host.fd,
    });
    try {
      await watched.start(() => undefined);
      const before = asked;
      await host.kernel.apply([{ do: 'link.add', link: TAP }]);
      await until('it is heard of', () => clock.pending().includes('network.gather'));
      for (let turn = 0; turn < 3; turn++) await nextTurn(); // and of its tag
      clock.advance(millis(5));
      expect(asked).toBe(before);
      host.ip('link add other type bridge');
      await until('something else is heard of', () => clock.pending().includes('network.gather'));
      clock.advance(millis(5));
      expect(asked).toBeGreaterThan(before);
    } finally {
      watched.close();
    }
  });

  test("of what is ours, Android's bridge is told, and the routes by it", async () => {
    host.ip('link add arcbr0 group 20560 type bridge');
    host.ip('link set arcbr0 up');
    host.ip('address add 100.115.92.1/30 dev arcbr0');
    host.ip('route add default via 100.115.92.2 dev arcbr0 metric 50');
    const routes = (): readonly unknown[] =>
      last().routes.flatMap(({ dst, via }) => (dst === '0.0.0.0/0' ? [via] : []));
    await until('its default route', () => routes().includes('100.115.92.2'));
    expect(last().links.map(({ ifname }) => ifname)).toContain('arcbr0');
    host.ip('route del default dev arcbr0');
    await until('no default route', () => routes().length === 0);
    await host.kernel.observe({ netns: [], sysctls: [] }); // it is known as ours now
    await host.kernel.apply([{ do: 'address.add', address: { ifname: 'arcbr0', cidr: '100.115.92.9/30' } }]);
    await until('an address that we add', () =>
      last().addresses.some(({ cidr }) => cidr === '100.115.92.9/30'),
    );
    host.ip('link del arcbr0');
    await until('no bridge', () => !last().links.some(({ ifname }) => ifname === 'arcbr0'));
  });

  test('what becomes ours is told no longer', async () => {
    const isShown = (): boolean => last().links.some(({ ifname }) => ifname === 'tap0');
    host.ip('tuntap add tap0 mode tap');
    await until('it is there', isShown);
    host.ip('link set tap0 group 0x5050 up'); // the kernel tells of links that are up
    await until('it is ours', () => !isShown());
  });

  test('a change that changes nothing is not told', async () => {
    host.ip('link set eth0 txqueuelen 77');
    host.ip('link set eth0 mtu 1400');
    await until('the change', () => eth0()?.mtu === 1400);
    expect(views.length).toBeLessThanOrEqual(3); // one more if the kernel changed the peer's state meanwhile
  });

  test('after close nothing is told', async () => {
    news.close();
    const before = views.length;
    host.ip('link set eth0 mtu 1400');
    await host.kernel.observe({ netns: [], sysctls: [] });
    expect(views.length).toBe(before);
  });
});
