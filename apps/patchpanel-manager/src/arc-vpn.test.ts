import { accept } from '@pp/base';
import { encode } from '@pp/proto';
import { guestMethods } from './dbus/guest-methods';
import type { Manager } from './manager';
import { FakeHost } from './testing/fake-host';
import { freshDump, settled, started } from './testing/story';

/** Android, whose own VPN is the host's: a default route by its management bridge. */

const PID = 4711;

async function callArc(host: FakeHost, manager: Manager, what: 'ArcStartup' | 'ArcShutdown'): Promise<void> {
  const { reconciler } = manager;
  const { processNetns, randomBytes } = host;
  const methods = guestMethods({
    reconciler,
    processNetns,
    randomBytes,
    ownPid: 99,
    tapOwner: null,
    defer: queueMicrotask,
  });
  const body = encode(`${what}Request`, { pid: PID });
  const answer = await methods[what]({ caller: accept({ uid: 0, pid: 5 }), body, takeFd: () => null });
  expect(answer).toMatchObject({ ok: true });
}

/** The host's network as the kernel tells it, with Android's bridge. */
function withBridge(host: FakeHost, defaultRoute: boolean): FakeHost['view'] {
  const [eth0] = host.view.links;
  if (eth0 === undefined) throw new Error('a host without a link');
  const bridge = { ...eth0, ifname: 'arcbr0', ifindex: 9, kind: 'bridge', physical: false };
  const route = { family: 'ipv4', dst: '0.0.0.0/0', via: null, ifindex: 9, src: null, metric: 5 } as const;
  return {
    ...host.view,
    links: [...host.view.links, bridge],
    addresses: [...host.view.addresses, { ifindex: 9, cidr: '100.115.92.1/30' }],
    routes: [...host.view.routes, ...(defaultRoute ? [route] : [])],
  };
}

async function tell(host: FakeHost, manager: Manager, view: FakeHost['view']): Promise<void> {
  host.news.tell(view);
  await settled(manager);
}

const namesOf = ({ world }: Manager): readonly string[] =>
  world.uplinks.map(({ ifname, kind }) => `${ifname}=${kind}`);

async function expectConsistent(host: FakeHost, manager: Manager): Promise<void> {
  expect(host.kernel.dump()).toBe(await freshDump(manager));
}

test('a default route by the bridge makes it the VPN, with Android as the next hop; without one it is a guest', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  await callArc(host, manager, 'ArcStartup');
  await tell(host, manager, withBridge(host, false));
  expect(namesOf(manager)).toEqual(['eth0=ethernet', 'eth1=ethernet']);
  await tell(host, manager, withBridge(host, true));
  expect(namesOf(manager)).toEqual(['arcbr0=vpn', 'eth0=ethernet', 'eth1=ethernet']);
  expect(host.kernel.elements()).toEqual(
    expect.arrayContaining(['vpns arcbr0', 'guest_egress arcbr0 : jump egress_nowhere']),
  );
  expect(host.kernel.dump()).toMatch(/^route .*0\.0\.0\.0\/0 via 100\.115\.92\.2 dev arcbr0 .*1009/m);
  expect(manager.world.guests.get('arc/0')).toMatchObject({
    devices: [{ uplink: 'eth0' }, { uplink: 'eth1' }],
  });
  expect(manager.clashes).toEqual([]);
  await expectConsistent(host, manager);
});

test('it ends with Android, whatever the kernel tells later of the bridge', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  await callArc(host, manager, 'ArcStartup');
  const view = withBridge(host, true);
  await tell(host, manager, view);
  await callArc(host, manager, 'ArcShutdown');
  expect(namesOf(manager)).toEqual(['eth0=ethernet', 'eth1=ethernet']);
  await tell(host, manager, view);
  expect(namesOf(manager)).toEqual(['eth0=ethernet', 'eth1=ethernet']);
  await expectConsistent(host, manager);
});

test('a start finds the bridge of an Android that ended meanwhile', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  await callArc(host, manager, 'ArcStartup');
  host.view = withBridge(host, true);
  await tell(host, manager, host.view);
  host.processNetns.open = () => ({ ok: false, reason: 'NotFound', sentence: 'it is gone' });
  const again = await started(host);
  expect([namesOf(again), [...again.world.guests.keys()]]).toEqual([['eth0=ethernet', 'eth1=ethernet'], []]);
  await expectConsistent(host, again);
});
