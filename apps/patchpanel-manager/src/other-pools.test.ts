/** A manager is started with other `--pool` than the run before it, whose VMs go on. */
import { accept } from '@pp/base';
import { allocateSubnet, indexSetOf, poolsWith, type ExtraPool, type Pools } from '@pp/datapath';
import { encode } from '@pp/proto';
import { guestMethods } from './dbus/guest-methods';
import { ARC_KEY } from './domain/guest';
import type { Manager } from './manager';
import { FakeHost } from './testing/fake-host';
import { freshDump, isKilled, settled } from './testing/story';

function pools(...extra: readonly ExtraPool[]): Pools {
  const checked = poolsWith(extra);
  if (!checked.ok) throw new Error(checked.sentence);
  return checked.value;
}

async function startedWith(host: FakeHost, ...extra: readonly ExtraPool[]): Promise<Manager> {
  const manager = host.manager({ pools: pools(...extra) });
  await manager.start();
  return manager;
}

const methodsOf = (host: FakeHost, { reconciler }: Manager): ReturnType<typeof guestMethods> =>
  guestMethods({
    reconciler,
    processNetns: host.processNetns,
    randomBytes: host.randomBytes,
    ownPid: 99,
    tapOwner: null,
    defer: queueMicrotask,
  });
const ROOT = { caller: accept({ uid: 0, pid: 5 }), takeFd: () => null };

/** The answer's `ok`. */
async function startVm(host: FakeHost, manager: Manager, id: number): Promise<boolean> {
  const body = encode('PluginVmStartupRequest', { id: BigInt(id), subnetIndex: 0 });
  return (await methodsOf(host, manager).PluginVmStartup({ ...ROOT, body })).ok;
}

async function stopVm(host: FakeHost, manager: Manager, id: number): Promise<void> {
  const body = encode('PluginVmShutdownRequest', { id: BigInt(id) });
  await methodsOf(host, manager).PluginVmShutdown({ ...ROOT, body });
}

const subnetOf = ({ world }: Manager, id: number): string => {
  const guest = world.guests.get(`plugin/${id}`);
  return guest?.kind === 'plugin' ? guest.subnet : 'none';
};

/** All of the reference's pool, and behind it one subnet of each. */
const FIRST: ExtraPool = { kind: 'plugin', cidr: '10.80.0.0/29' };
const SECOND: ExtraPool = { kind: 'plugin', cidr: '10.81.0.0/29' };
const IN_REFERENCE = 32;

async function hostWithVms(): Promise<FakeHost> {
  const host = new FakeHost();
  const manager = await startedWith(host, FIRST, SECOND);
  for (let id = 1; id <= IN_REFERENCE + 2; id++) expect(await startVm(host, manager, id)).toBe(true);
  expect([subnetOf(manager, 33), subnetOf(manager, 34)]).toEqual([FIRST.cidr, SECOND.cidr]);
  return host;
}

test.each<{ name: string; extra: readonly ExtraPool[]; next: string }>([
  { name: 'the same', extra: [FIRST, SECOND], next: FIRST.cidr },
  { name: 'the other way round', extra: [SECOND, FIRST], next: FIRST.cidr },
  { name: 'without the first', extra: [SECOND], next: 'none' },
  { name: 'without both', extra: [], next: 'none' },
  {
    name: 'with another before them',
    extra: [{ kind: 'plugin', cidr: '10.79.0.0/29' }, FIRST, SECOND],
    next: '10.79.0.0/29',
  },
  {
    name: 'another kind has the first',
    extra: [SECOND, { kind: 'lxd', cidr: '10.80.0.0/16' }],
    next: 'none',
  },
])('$name: VMs keep their subnets, and the next gets what is free of the pools of now', async (row) => {
  const host = await hostWithVms();
  const manager = await startedWith(host, ...row.extra);
  expect([subnetOf(manager, 33), subnetOf(manager, 34)]).toEqual([FIRST.cidr, SECOND.cidr]);
  expect(manager.world.pools.guestPrefixes.filter((prefix) => prefix.startsWith('10.8'))).toHaveLength(2);
  expect(host.kernel.dump()).toBe(await freshDump(manager));
  await stopVm(host, manager, 33);
  await startVm(host, manager, 35);
  expect(subnetOf(manager, 35)).toBe(row.next);
  expect(host.kernel.dump()).toBe(await freshDump(manager));
});

test('what lies in another kind’s pool of now is not given out there', async () => {
  const host = await hostWithVms();
  const { world } = await startedWith(host, SECOND, { kind: 'namespace', cidr: '10.80.0.0/28' });
  const given: string[] = [];
  let last = 0;
  for (let used: number[] = []; ; used = [...used, last]) {
    const subnet = allocateSubnet(world.pools, 'namespace', indexSetOf(used));
    if (subnet === null) break;
    given.push(subnet.prefix);
    last = subnet.index;
  }
  expect(given).toHaveLength(18);
  expect(given.slice(16)).toEqual(['10.80.0.8/30', '10.80.0.12/30']);
});

describe('ARC with a device on addresses of an earlier --pool', () => {
  const POOL: ExtraPool = { kind: 'arc', cidr: '10.90.0.0/30' };
  const UPLINKS = ['eth0', 'eth1', 'eth2']; // the reference has addresses for two of Ethernet
  const devicesOf = ({ world }: Manager): readonly string[] => {
    const arc = world.guests.get(ARC_KEY);
    return arc?.kind === 'arc' ? arc.devices.map(({ uplink, config }) => `${uplink} ${config.subnet}`) : [];
  };

  test('keeps it, and has no more of them when its uplink was away', async () => {
    const host = new FakeHost(UPLINKS);
    const first = await startedWith(host, POOL);
    const body = encode('ArcStartupRequest', { pid: 4711 });
    expect((await methodsOf(host, first).ArcStartup({ ...ROOT, body })).ok).toBe(true);
    const devices = devicesOf(first);
    expect(devices).toContain(`eth2 ${POOL.cidr}`);
    const second = await startedWith(host);
    expect(devicesOf(second)).toEqual(devices);
    expect(host.kernel.dump()).toBe(await freshDump(second, UPLINKS));
    host.tell(['eth0', 'eth1']);
    await settled(second);
    const third = await startedWith(host);
    host.tell(UPLINKS);
    await settled(third);
    expect(devicesOf(third)).toEqual(devices.slice(0, 2));
    expect(third.world.pools).toEqual(pools());
  });
});

const addressesOf = async (host: FakeHost): Promise<readonly string[]> =>
  (await host.kernel.observe({ netns: [], sysctls: [] })).addresses.map(({ cidr }) => cidr);

const leave = (host: FakeHost, cidr: string): Promise<unknown> =>
  host.kernel.apply([{ do: 'address.add', address: { ifname: 'vmtap0', cidr } }]);

test('an address of an earlier --pool goes from a link that stays; others do not', async () => {
  const host = new FakeHost();
  const first = await startedWith(host, FIRST);
  await startVm(host, first, 1);
  const own = await addressesOf(host);
  await leave(host, '10.80.0.1/29');
  await startedWith(host);
  expect(await addressesOf(host)).toEqual(own);
  await leave(host, '10.80.0.1/29'); // to the run before nobody gave that pool
  await startedWith(host);
  expect(await addressesOf(host)).toEqual([...own, '10.80.0.1/29']);
});

test('it goes, too, when two starts without that pool are killed, at whatever step', async () => {
  for (let step = 1, killed = true; killed; step++) {
    const host = new FakeHost();
    await startVm(host, await startedWith(host, FIRST), 1);
    const own = await addressesOf(host);
    await leave(host, '10.80.0.1/29');
    for (let starts = 0; starts < 2; starts++) {
      host.killAt(step, 'before');
      killed = await isKilled(startedWith(host));
    }
    host.spare();
    await startedWith(host);
    expect([step, await addressesOf(host)]).toEqual([step, own]);
  }
});
