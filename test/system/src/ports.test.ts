import { seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  secondUidMissing,
  STANDARD,
  startArcVm,
  startManager,
  startPeerEcho,
  startPlugin,
  startTermina,
  type Place,
  type RunningGuest,
} from '@pp/lab';
import { GuestRig, UPLINK_ARGS } from './guest-rig';
import { expectAnswer, expectAnswers, forwardIpv6, seenBy, type Protocol } from './port-probe';
import { access, create, forwarding, lockdown, remove, type PortRule } from './port-rules';

/** ModifyPortRule by real traffic: from the LAN, from guests and from the host itself, over both families. */

const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp'];
/** The session's user, and somebody else. */
const [SESSION, OTHER] = [65534, 65533];
const ARGS = [...UPLINK_ARGS, '--session-user', String(SESSION)];
const { lanhost, host: uplink, internet } = STANDARD;
const SERVICE = 7000;
/** Every probe that must not be answered waits for it. */
const AT_MOST = seconds(180);

let rig: GuestRig;

beforeAll(async () => {
  if (labMissing() === undefined) rig = await GuestRig.open({ args: ARGS });
}, 60_000);

afterAll(async () => {
  if (labMissing() === undefined) await rig.close();
}, 60_000);

/** A guest with an IPv6 address, and the host's address on the same link. */
async function dualStack(guest: RunningGuest, net: number): Promise<{ host: string; guest: string }> {
  const [host, own] = [`fd00:115:${net}::1`, `fd00:115:${net}::2`];
  await rig.lab.host.ok('ip', ['addr', 'add', `${host}/64`, 'dev', guest.link, 'nodad']);
  await guest.guest.shell(`
    ip addr add ${own}/64 dev ${guest.ifname} nodad
    ip -6 route add default via ${host} dev ${guest.ifname}`);
  await forwardIpv6(rig.lab.host, guest.link);
  return { host, guest: own };
}

const services = (place: Place, port = SERVICE) => startPeerEcho(place, [`tcp:${port}`, `udp:${port}`]);

async function withRules(rules: readonly PortRule[], use: () => Promise<void>): Promise<void> {
  await create(rig.client, ...rules);
  await use();
  await remove(rig.client, ...rules);
}

labTest(
  'ACCESS: guests reach a port of the host while it is open, over both families',
  async () => {
    const { host, lanhost: neighbour } = rig.lab;
    const [vm, other] = [await startTermina(rig, 5), await startPlugin(rig, 6)];
    const [v6, otherV6] = [await dualStack(vm, 5), await dualStack(other, 6)];
    const server = await services(host);
    for (const protocol of PROTOCOLS) {
      const ask = (guest: RunningGuest, address: string) => seenBy(guest.guest, protocol, address, SERVICE);
      const none = undefined;
      const all = () =>
        Promise.all([
          ask(vm, vm.gateway),
          ask(vm, v6.host),
          protocol === 'tcp' ? ask(vm, uplink.v4) : none, // UDP answers with the address of the way back
          ask(other, other.gateway),
          ask(other, otherV6.host),
          seenBy(neighbour, protocol, uplink.v4, SERVICE),
          seenBy(neighbour, protocol, uplink.v6, SERVICE).then((seen) => seen?.startsWith('2001:db8:77:')),
          seenBy(host, protocol, vm.gateway, SERVICE),
        ]);
      const always = [lanhost.v4, true, vm.gateway]; // the host is nobody's guest
      const byLan = protocol === 'tcp' ? vm.address : none;
      await expectAnswers(all, [none, none, none, none, none, ...always], protocol);
      await withRules([access(protocol, SERVICE)], async () => {
        const want = [vm.address, v6.guest, byLan, other.address, otherV6.guest, ...always];
        await expectAnswers(all, want, protocol);
      });
      await withRules([access(protocol, SERVICE, vm.link)], async () => {
        const want = [vm.address, v6.guest, byLan, none, none, ...always];
        await expectAnswers(all, want, protocol);
      });
      await withRules([access(protocol, SERVICE, 'eth0'), access(protocol, SERVICE + 1)], async () => {
        await expectAnswers(all, [none, none, none, none, none, ...always], protocol);
      });
      await expectAnswers(all, [none, none, none, none, none, ...always], protocol);
    }
    await server.stop();
    await Promise.all([vm.stop(), other.stop()]);
    await rig.expectIdle();
  },
  labMissing(),
  AT_MOST,
);

labTest(
  "LOCKDOWN: on loopback only the session's user reaches the port, over both families",
  async () => {
    const { host, lanhost: neighbour } = rig.lab;
    const server = await services(host);
    for (const protocol of PROTOCOLS) {
      const all = async () => [
        await seenBy(host, protocol, '127.0.0.1', SERVICE, SESSION),
        await seenBy(host, protocol, '::1', SERVICE, SESSION),
        await seenBy(host, protocol, '127.0.0.1', SERVICE, OTHER),
        await seenBy(host, protocol, '::1', SERVICE, OTHER),
        await seenBy(host, protocol, uplink.v4, SERVICE), // root, by loopback too
        await seenBy(neighbour, protocol, uplink.v4, SERVICE),
      ];
      const open = ['127.0.0.1', '::1', '127.0.0.1', '::1', uplink.v4, lanhost.v4];
      await expectAnswers(all, open, protocol);
      await withRules([lockdown(protocol, SERVICE)], async () => {
        const locked = ['127.0.0.1', '::1', undefined, undefined, undefined, lanhost.v4];
        await expectAnswers(all, locked, protocol);
        const counter = await host.ok('nft', ['list', 'counter', 'inet', 'patchpanel', 'reject_locked_port']);
        expect(counter).toMatch(/packets [1-9]/);
      });
      await expectAnswers(all, open, protocol);
    }
    await server.stop();
    await rig.expectIdle();
  },
  labMissing() ?? secondUidMissing(),
);

labTest(
  'FORWARDING: a port of the host leads to a guest, by the interface that is named',
  async () => {
    const { host, lanhost: neighbour, internet: far } = rig.lab;
    const [vm, other] = [await startTermina(rig, 5), await startPlugin(rig, 6)];
    const v6 = await dualStack(vm, 5);
    await neighbour.shell(`ip route add 100.115.92.0/23 via ${uplink.v4}
    ip -6 route add fd00:115::/32 via ${uplink.v6}`);
    const server = await services(vm.guest);
    const target = `${vm.address}:${SERVICE}`;
    for (const protocol of PROTOCOLS) {
      const all = () =>
        Promise.all([
          seenBy(neighbour, protocol, uplink.v4, 8080),
          seenBy(far, protocol, uplink.eth1, 8080),
          seenBy(other.guest, protocol, internet.v4, 8080),
          seenBy(neighbour, protocol, uplink.v6, 8080), // which rules of IPv4 say nothing of
          seenBy(host, protocol, '127.0.0.1', 8080), // what the host sends comes in by no interface
          seenBy(neighbour, protocol, vm.address, SERVICE), // the guest itself, by a route
          seenBy(neighbour, protocol, v6.guest, SERVICE),
          seenBy(host, protocol, vm.address, SERVICE),
          seenBy(host, protocol, v6.guest, SERVICE),
        ]);
      const none = undefined;
      const always = [none, none, none, none, vm.gateway, v6.host];
      const expectSeen = async (...want: readonly (string | undefined)[]): Promise<void> => {
        await expectAnswers(all, [...want, ...always], protocol);
      };
      await expectSeen(none, none, none);
      await withRules([forwarding(protocol, 'eth0', 8080, target)], () => expectSeen(lanhost.v4, none, none));
      // The default route is eth0's: the answers go back by the uplink that the question came by.
      await withRules([forwarding(protocol, 'eth1', 8080, target)], () =>
        expectSeen(none, internet.v4, none),
      );
      await withRules([forwarding(protocol, 'eth0', 8080, target, uplink.v4)], () =>
        expectSeen(lanhost.v4, none, none),
      );
      await withRules([forwarding(protocol, 'eth0', 8080, target, '192.168.77.3')], () =>
        expectSeen(none, none, none),
      );
      await withRules([forwarding(protocol, other.link, 8080, target, internet.v4)], () =>
        expectSeen(none, none, other.address),
      );
      // Without an address only what is for the host itself is forwarded: a guest's way to the Internet stays open.
      await withRules([forwarding(protocol, other.link, 8080, target)], () => expectSeen(none, none, none));
      await expectSeen(none, none, none);
    }
    await server.stop();
    await neighbour.shell('ip route del 100.115.92.0/23; ip -6 route del fd00:115::/32');
    await Promise.all([vm.stop(), other.stop()]);
    await rig.expectIdle();
  },
  labMissing(),
  AT_MOST,
);

/** What the host has on an uplink from its router. */
async function ipv6On(ifname: string): Promise<string> {
  const text = await rig.lab.host.ok('ip', ['-6', '-o', 'addr', 'show', 'dev', ifname, 'scope', 'global']);
  return / inet6 (\S+)\/64 /.exec(text)?.[1] ?? '';
}

labTest(
  'FORWARDING over IPv6: the same, beside a rule of IPv4 for the same port',
  async () => {
    const { host, lanhost: neighbour, internet: far } = rig.lab;
    const [vm, other] = [await startTermina(rig, 5), await startPlugin(rig, 6)];
    const [v6, otherV6] = [await dualStack(vm, 5), await dualStack(other, 6)];
    const server = await services(vm.guest);
    const second = await ipv6On('eth1');
    const target = `${v6.guest} ${SERVICE}`;
    const isOn = (net: string) => (seen: string | undefined) => seen?.startsWith(net) ?? false;
    for (const protocol of PROTOCOLS) {
      const all = () =>
        Promise.all([
          seenBy(neighbour, protocol, uplink.v6, 8080).then(isOn('2001:db8:77:')),
          seenBy(far, protocol, second, 8080).then(isOn(internet.v6)),
          seenBy(other.guest, protocol, internet.v6, 8080).then(isOn(otherV6.guest)),
          seenBy(neighbour, protocol, uplink.v4, 8080).then(isOn(lanhost.v4)),
        ]);
      const expectSeen = async (...want: readonly boolean[]): Promise<void> => {
        await expectAnswers(all, want, protocol);
      };
      await expectSeen(false, false, false, false);
      const v4 = forwarding(protocol, 'eth0', 8080, `${vm.address}:${SERVICE}`);
      const rule = (ifname: string, address = ''): PortRule =>
        forwarding(protocol, ifname, 8080, target, address);
      await withRules([v4], () => expectSeen(false, false, false, true));
      await withRules([rule('eth0')], () => expectSeen(true, false, false, false));
      await withRules([rule('eth0'), v4], () => expectSeen(true, false, false, true));
      // The default route is eth0's: the answers go back by the uplink that the question came by.
      await withRules([rule('eth1')], () => expectSeen(false, true, false, false));
      await withRules([rule('eth0', uplink.v6)], () => expectSeen(true, false, false, false));
      await withRules([rule('eth0', '2001:db8:77::99')], () => expectSeen(false, false, false, false));
      await withRules([rule(other.link, internet.v6)], () => expectSeen(false, false, true, false));
      await withRules([rule(other.link)], () => expectSeen(false, false, false, false));
      await expectSeen(false, false, false, false);
    }
    await create(rig.client, forwarding('tcp', 'eth0', 8080, target));
    await rig.manager.kill();
    rig.manager = await startManager(host, { args: ARGS });
    expect(await host.ok('nft', ['list', 'map', 'inet', 'patchpanel', 'port_forwards6'])).toContain(
      `"eth0" . tcp . 8080 : ${v6.guest} . ${SERVICE}`,
    );
    await remove(rig.client, forwarding('tcp', 'eth0', 8080, target));
    await server.stop();
    await Promise.all([vm.stop(), other.stop()]);
    await rig.expectIdle();
  },
  labMissing(),
  AT_MOST,
);

labTest("a neighbour with a route does not reach the host's loopback, whatever is forwarded", async () => {
  const { host, lanhost: neighbour } = rig.lab;
  const server = await services(host);
  await host.shell('echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet');
  await neighbour.shell(`ip addr del 127.0.0.1/8 dev lo
    echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
    ip route add 127.0.0.5 via ${uplink.v4}`);
  const rules = [access('tcp', SERVICE), forwarding('tcp', 'eth0', 8080, `${uplink.v4}:${SERVICE}`)];
  await withRules(rules, async () => {
    expect(await seenBy(neighbour, 'tcp', '127.0.0.5', SERVICE)).toBeUndefined();
    expect(await seenBy(neighbour, 'tcp', '127.0.0.5', 8080)).toBeUndefined();
    await expectAnswer(() => seenBy(neighbour, 'tcp', uplink.v4, 8080), lanhost.v4); // to the host itself it may lead
  });
  await host.shell('echo 0 > /proc/sys/net/ipv4/conf/eth0/route_localnet');
  await neighbour.shell(`ip addr add 127.0.0.1/8 dev lo
    echo 0 > /proc/sys/net/ipv4/conf/all/route_localnet
    ip route del 127.0.0.5`);
  await server.stop();
  await rig.expectIdle();
});

labTest(
  "ARC's inbound traffic yields to explicit forwards and to sockets of the host",
  async () => {
    const { host, lanhost: neighbour } = rig.lab;
    const [arc, vm] = [await startArcVm(rig, 3), await startTermina(rig, 5)];
    const android = await startPeerEcho(arc.guest, ['tcp:7001', 'udp:7001', 'tcp:7002', 'http:7003']);
    const linux = await startPeerEcho(vm.guest, ['tcp:7002', 'udp:7002', 'tcp:7003']);
    const ask = (protocol: Protocol, port: number) => seenBy(neighbour, protocol, uplink.v4, port);
    for (const protocol of PROTOCOLS) {
      await expectAnswer(() => ask(protocol, 7001), lanhost.v4);
      expect([protocol, await ask(protocol, 8080)]).toEqual([protocol, undefined]);
      await withRules([forwarding(protocol, 'eth0', 8080, `${vm.address}:7002`)], async () => {
        await expectAnswer(() => ask(protocol, 8080), lanhost.v4);
      });
    }
    expect(await ask('tcp', 7003)).toBeUndefined(); // Android's HTTP server says nothing before it is asked well
    await withRules([forwarding('tcp', 'eth0', 7003, `${vm.address}:7003`)], async () => {
      await expectAnswer(() => ask('tcp', 7003), lanhost.v4); // the VM's, although Android listens too
    });
    const server = await startPeerEcho(host, ['tcp:7003']);
    await expectAnswer(() => ask('tcp', 7003), lanhost.v4);
    await withRules([access('tcp', 7003)], async () => {
      await expectAnswer(() => ask('tcp', 7003), lanhost.v4);
      await expectAnswer(() => seenBy(vm.guest, 'tcp', vm.gateway, 7003), vm.address);
    });
    for (const each of [server, android, linux]) await each.stop();
    await Promise.all([vm.stop(), arc.stop()]);
    await rig.expectIdle();
  },
  labMissing(),
  AT_MOST,
);

for (const [how, end] of [
  ['kill -9', () => rig.manager.kill()],
  ['SIGTERM', () => rig.manager.stop()],
] as const) {
  labTest(`port rules are in force after ${how} of the manager and a start`, async () => {
    const { host, lanhost: neighbour } = rig.lab;
    const server = await startPeerEcho(host, [`tcp:${SERVICE}`]);
    const rules = [
      forwarding('tcp', 'eth0', 8080, `${uplink.v4}:${SERVICE}`),
      access('udp', SERVICE, 'arc_eth0'),
      lockdown('tcp', SERVICE),
    ];
    await create(rig.client, ...rules);
    await end();
    if (how === 'kill -9') await expectAnswer(() => seenBy(neighbour, 'tcp', uplink.v4, 8080), lanhost.v4);
    else expect(await host.ok('nft', ['list', 'ruleset'])).not.toContain('patchpanel');
    rig.manager = await startManager(host, { args: ARGS });
    await expectAnswer(() => seenBy(neighbour, 'tcp', uplink.v4, 8080), lanhost.v4);
    expect(await seenBy(host, 'tcp', '127.0.0.1', SERVICE)).toBeUndefined();
    await remove(rig.client, ...rules); // each is there, else this would be refused
    expect(await seenBy(neighbour, 'tcp', uplink.v4, 8080)).toBeUndefined();
    await expectAnswer(() => seenBy(host, 'tcp', '127.0.0.1', SERVICE), '127.0.0.1');
    await server.stop();
    await rig.expectIdle();
  });
}
