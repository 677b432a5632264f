import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { seconds } from '@pp/base';
import { FakeManagerBus, pair, settled } from '@pp/forwarding/testing';
import type { HostRoute } from '@pp/ports';
import {
  FakeGuard,
  FakeHostRoutes,
  FakeMemberships,
  FakePacketPorts,
  PacketLan,
  ScriptedInterfaces,
  ScriptedLosses,
} from '@pp/ports/testing';
import { toHex } from '@pp/wire/testing';
import { ALL_OFF } from '../core/limits';
import { NO_POLICY } from '../core/policy';
import { advertise, DOWN, drawsFrom, GUEST, ip, mac, NEIGHBOR, ourMac, solicit } from '../core/testing/scene';
import { ADDRESSES, view } from '../testing/rig';
import { followManager, type Following } from './follow';

const guest = { mac: 2, source: GUEST };

interface FollowRig extends Following {
  readonly manager: FakeManagerBus;
  readonly packets: FakePacketPorts;
  readonly clock: VirtualClock;
  hear(ifindex: number, frame: Uint8Array): Promise<void>;
}

async function followRig(installed: readonly HostRoute[] = []): Promise<FollowRig> {
  const manager = new FakeManagerBus();
  const clock = new VirtualClock();
  const log = new MemoryLog();
  const packets = new FakePacketPorts();
  const stations = [1, 2, 3].map((ifindex) => {
    const lan = new PacketLan();
    packets.plug(ifindex, lan, toHex(ourMac(ifindex)));
    return lan.attach(toHex(mac(0x40 + ifindex)), () => undefined);
  });
  const links = [view('eth0'), view('tap0'), view('tap1')];
  const following = await followManager({
    bus: manager,
    clock,
    log,
    settings: { mode: 'route', loopPolicy: 'guard', switches: ALL_OFF, policy: NO_POLICY, strict: false },
    managersRoutes: new FakeHostRoutes(installed),
    doors: {
      packets,
      interfaces: new ScriptedInterfaces({ links, addresses: ADDRESSES }),
      guard: new FakeGuard(),
      losses: new ScriptedLosses(),
      memberships: new FakeMemberships(),
      sysctl: () => null,
      seed: 1,
      randomBytes: drawsFrom(1),
      clock,
      log,
    },
  });
  following.groups.start((groups) => {
    following.service.setGroups(groups);
  });
  await following.service.start();
  const hear = async (ifindex: number, frame: Uint8Array): Promise<void> => {
    stations[ifindex - 1]?.(frame);
    await following.service.routes.settled();
    await settled();
  };
  return { ...following, manager, packets, clock, hear };
}

/** The manager is there and says so; gates are open. */
async function meet({ manager, clock }: FollowRig): Promise<void> {
  manager.start();
  await manager.answer();
  clock.advance(seconds(13));
  await settled();
}

test('without a manager it waits, and then serves what it is told', async () => {
  const rig = await followRig();
  expect(rig.packets.openIfindexes).toEqual([]);
  rig.manager.pairs = [pair('eth0', 'tap0')];
  await meet(rig);
  expect(rig.packets.openIfindexes).toEqual([1, 2]);
  rig.manager.change([pair('eth0', 'tap0')], [pair('eth0', 'tap1')]);
  expect(rig.packets.openIfindexes).toEqual([1, 3]);
});

test('a guest that is heard is reported, and again to the next run of the manager', async () => {
  const rig = await followRig();
  rig.manager.pairs = [pair('eth0', 'tap0')];
  await meet(rig);
  await rig.hear(2, solicit(guest, NEIGHBOR));
  expect(rig.manager.reports).toEqual(['+eth0 tap0 2']);
  rig.manager.kill();
  expect(rig.packets.openIfindexes).toEqual([1, 2]); // guests outlive it
  rig.manager.start();
  await rig.manager.answer();
  expect(rig.manager.reports).toEqual(['+eth0 tap0 2', '+eth0 tap0 2']);
});

test('a guest that answers no more is reported as lost', async () => {
  const rig = await followRig();
  rig.manager.pairs = [pair('eth0', 'tap0')];
  await meet(rig);
  await rig.hear(2, solicit(guest, NEIGHBOR));
  rig.clock.advance(seconds(70));
  await rig.service.routes.settled();
  await settled();
  expect(rig.manager.reports).toEqual(['+eth0 tap0 2', '-eth0 tap0 2']);
});

test('one that moves to another guest’s link is lost there and found here', async () => {
  const rig = await followRig();
  rig.manager.pairs = [pair('eth0', 'tap0'), pair('eth0', 'tap1')];
  await meet(rig);
  await rig.hear(2, solicit(guest, NEIGHBOR));
  rig.clock.advance(seconds(1));
  await rig.hear(3, solicit(guest, NEIGHBOR));
  expect(rig.manager.reports).toEqual(['+eth0 tap0 2', '-eth0 tap0 2', '+eth0 tap1 2']);
});

test('what an earlier run reported is asked for, and reported as lost if it does not answer', async () => {
  const rig = await followRig([
    { address: '2001:db8::2', ifindex: 2, source: null },
    { address: '2001:db8::3', ifindex: 2, source: null },
    { address: '2001:db8::4', ifindex: 9, source: null }, // another service's guest
  ]);
  rig.manager.pairs = [pair('eth0', 'tap0')];
  rig.manager.start();
  await rig.manager.answer();
  await settled();
  rig.clock.advance(seconds(2));
  await rig.hear(2, advertise(guest, ip('fe80::a:2'), DOWN));
  rig.clock.advance(seconds(10));
  await rig.service.routes.settled();
  await settled();
  expect(rig.manager.reports).toEqual(['+eth0 tap0 2', '+eth0 tap0 3', '-eth0 tap0 3']);
  expect([...rig.service.routes.installed].map(({ address }) => address)).toEqual(['2001:db8::2']);
});

test('a stop reports nothing: the next run finds its guests where they were', async () => {
  const rig = await followRig();
  rig.manager.pairs = [pair('eth0', 'tap0')];
  await meet(rig);
  await rig.hear(2, solicit(guest, NEIGHBOR));
  rig.routes.retire();
  rig.client.close();
  await rig.service.stop();
  expect(rig.manager.reports).toEqual(['+eth0 tap0 2']);
  expect(rig.packets.openIfindexes).toEqual([]);
});
