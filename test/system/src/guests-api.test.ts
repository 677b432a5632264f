import { labTest, networkOrder, until } from '@pp/lab';
import { encode, NetworkDeviceChangedSignalEvent, NetworkDeviceGuestType, type Messages } from '@pp/proto';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { GuestRig } from './guest-rig';

/** What the API says of guests, and when it says it. */

type Device = Messages['NetworkDevice'];

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

/** Spec 1.5, the common fill. */
function device(
  guestType: keyof typeof NetworkDeviceGuestType,
  [ifname, physIfname]: readonly [string, string],
  [host, guest, network, prefixLen]: readonly [string, string, string, number],
): Device {
  return {
    ifname,
    physIfname,
    guestType: NetworkDeviceGuestType[guestType],
    hostIpv4Addr: networkOrder(host),
    ipv4Addr: networkOrder(guest),
    ipv4Subnet: { baseAddr: networkOrder(network), prefixLen },
  };
}

interface LinkFacts {
  readonly address: string;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly linkinfo?: { readonly info_data?: { readonly user?: string } };
}

async function linkOf(ifname: string): Promise<LinkFacts> {
  const [link] = (await rig.lab.host.json('ip', '-d', '-j', 'link', 'show', 'dev', ifname)) as LinkFacts[];
  if (link === undefined) throw new Error(`no link ${ifname}`);
  return link;
}

const macOf = async (ifname: string): Promise<string> => (await linkOf(ifname)).address;

labTest('Termina: the reply to the byte, a TAP of the caller, a MAC of its own', async () => {
  const reply = await rig.client.raw('TerminaVmStartup', encode('TerminaVmStartupRequest', { cid: 3 }));
  const wire = [
    ['0a28', ['0a06', '766d74617030'], ['10', 'e4e6f1d201']], // device: ifname vmtap0, guest 100.115.92.26
    [['1a08', '08', 'e4e6f1c201', '101e'], '2003'], // 100.115.92.24/30, TERMINA_VM
    [
      ['2a06', '766d74617030'],
      ['30', 'e4e6f1ca01'],
    ], // physical name, host 100.115.92.25
    ['1208', ['08', 'e4e6f1820c'], '101c'], // container subnet 100.115.92.192/28
  ];
  expect(Buffer.from(reply).toString('hex')).toBe(wire.flat(3).join(''));
  const { address, flags, linkinfo } = await linkOf('vmtap0');
  expect(flags).toContain('UP');
  expect(linkinfo?.info_data?.user).toBe('root');
  expect(Number.parseInt(address.slice(0, 2), 16) & 3).toBe(2); // locally administered, no group address
  const route = await rig.lab.host.ok('ip', ['route', 'show', '100.115.92.192/28']);
  expect(route).toMatch(/^100\.115\.92\.192\/28 via 100\.115\.92\.26 dev vmtap0 /);
  await rig.client.ask('TerminaVmShutdown', { cid: 3 });
  await rig.expectIdle();
});

labTest('Plugin: the subnet that was asked for with its stable MAC, else the lowest free one', async () => {
  const third = await rig.client.ask('PluginVmStartup', { id: 5n, subnetIndex: 3 });
  expect(third).toEqual({
    device: device(
      'PLUGIN_VM',
      ['vmtap0', 'vmtap0'],
      ['100.115.93.17', '100.115.93.18', '100.115.93.16', 29],
    ),
  });
  expect(await macOf('vmtap0')).toBe('42:37:05:13:17:03');
  const any = await rig.client.ask('PluginVmStartup', { id: 2n ** 63n + 1n });
  expect(any).toEqual({
    device: device('PLUGIN_VM', ['vmtap1', 'vmtap1'], ['100.115.93.1', '100.115.93.2', '100.115.93.0', 29]),
  });
  expect(await macOf('vmtap1')).not.toMatch(/^42:37:05:13:17/);
  await rig.client.ask('PluginVmShutdown', { id: 5n });
  await rig.client.ask('PluginVmShutdown', { id: 2n ** 63n + 1n });
  await rig.expectIdle();
});

labTest('a Termina and a plugin VM of the same number are two', async () => {
  await rig.client.ask('TerminaVmStartup', { cid: 9 });
  await rig.client.ask('PluginVmStartup', { id: 9n });
  await rig.client.ask('TerminaVmShutdown', { cid: 9 });
  const { devices } = await rig.client.ask('GetDevices', {});
  expect(devices.map(({ ifname }) => ifname)).toEqual(['vmtap1']);
  await rig.client.ask('PluginVmShutdown', { id: 9n });
  await rig.expectIdle();
});

labTest(
  'a stop that asks for no reply is done, also when the caller has left the bus meanwhile',
  async () => {
    const stop = ['--type=method_call', '--dest=org.chromium.PatchPanel', '/org/chromium/PatchPanel'];
    for (let round = 0; round < 5; round++) {
      await rig.client.ask('TerminaVmStartup', { cid: 3 });
      const args = [...stop, 'org.chromium.PatchPanel.TerminaVmShutdown', 'array:byte:8,3'];
      await rig.lab.host.ok('dbus-send', [`--bus=${rig.lab.bus.inside}`, ...args]);
      await until('it is gone', async () => (await rig.client.ask('GetDevices', {})).devices.length === 0);
    }
    await rig.expectIdle();
  },
);

labTest('ARC VM: six TAPs with their stable MACs, bridged where there is an uplink for them', async () => {
  const { devices } = await rig.client.ask('ArcVmStartup', { cid: 4 });
  const addresses = ['.2', '.6', '.10', '.14', '.18', '.22'].map((end) => `100.115.92${end}`);
  expect(devices).toEqual(
    addresses.map((address, i) => ({
      ifname: `vmtap${i}`,
      ipv4Addr: networkOrder(address),
      guestType: NetworkDeviceGuestType.ARCVM,
      physIfname: '',
      hostIpv4Addr: 0,
      ipv4Subnet: undefined,
    })),
  );
  const links = await Promise.all(devices.map(({ ifname }) => linkOf(ifname)));
  expect(links.map(({ address, master }) => [address, master])).toEqual([
    ['42:37:05:13:17:01', 'arcbr0'],
    ['42:37:05:13:17:02', 'arc_eth0'],
    ['42:37:05:13:17:03', 'arc_eth1'],
    ['42:37:05:13:17:04', undefined],
    ['42:37:05:13:17:05', undefined],
    ['42:37:05:13:17:06', undefined],
  ]);
  expect((await rig.client.ask('GetDevices', {})).devices).toEqual([
    device('ARCVM', ['arc_eth0', 'eth0'], ['100.115.92.5', '100.115.92.6', '100.115.92.4', 30]),
    device('ARCVM', ['arc_eth1', 'eth1'], ['100.115.92.9', '100.115.92.10', '100.115.92.8', 30]),
  ]);
  await rig.client.ask('ArcVmShutdown', { cid: 4 });
  await rig.expectIdle();
});

labTest('ARC container: arc0 and an interface for each uplink inside, named after it', async () => {
  const android = await rig.lab.guest('android');
  expect(await rig.client.raw('ArcStartup', encode('ArcStartupRequest', { pid: android.pid }))).toHaveLength(
    0,
  );
  const inside = (await android.json('ip', '-j', '-4', 'addr', 'show', 'up')) as {
    ifname: string;
    flags: string[];
    addr_info: { local: string; prefixlen: number; broadcast?: string }[];
  }[];
  const seen = inside
    .filter(({ ifname }) => ifname !== 'lo')
    .map(({ ifname, flags, addr_info: [first] }) => [
      ifname,
      flags.includes('MULTICAST'),
      `${first?.local}/${first?.prefixlen} brd ${first?.broadcast}`,
    ]);
  expect(seen.sort()).toEqual([
    ['arc0', false, '100.115.92.2/30 brd 100.115.92.3'],
    ['eth0', true, '100.115.92.6/30 brd 100.115.92.7'],
    ['eth1', true, '100.115.92.10/30 brd 100.115.92.11'],
  ]);
  const links = await Promise.all(['vetharc0', 'vetheth0', 'vetheth1'].map(linkOf));
  expect(links.map(({ master }) => master)).toEqual(['arcbr0', 'arc_eth0', 'arc_eth1']);
  expect((await rig.client.ask('GetDevices', {})).devices.map(({ guestType }) => guestType)).toEqual([
    NetworkDeviceGuestType.ARC,
    NetworkDeviceGuestType.ARC,
  ]);
  const netns = (await rig.lab.host.shell("stat -L -c 'net:[%i]' /run/netns/arc_netns")).trim();
  expect(netns).toBe((await android.shell('readlink /proc/self/ns/net')).trim());
  await rig.client.ask('ArcShutdown', { pid: 1 }); // whatever pid is named
  await rig.expectIdle();
  await android.end();
});

labTest('an ARC that runs is stopped when another one starts', async () => {
  const android = await rig.lab.guest('android');
  await rig.client.ask('ArcVmStartup', { cid: 4 });
  await rig.client.ask('ArcStartup', { pid: android.pid });
  const taps = await rig.lab.host.run('ip', ['link', 'show', 'dev', 'vmtap0']);
  expect(taps.code).not.toBe(0);
  const again = await rig.client.ask('ArcVmStartup', { cid: 5 });
  expect(again.devices).toHaveLength(6);
  expect((await android.json('ip', '-j', 'link', 'show')) as unknown[]).toHaveLength(1); // lo
  await rig.client.ask('ArcVmShutdown', { cid: 5 });
  await rig.expectIdle();
  await android.end();
});

labTest(
  'GetDevices tells of ARC first, then of the VMs in the order of their coming; not of namespaces',
  async () => {
    const { release } = await rig.client.connect({ pid: -1 });
    await rig.client.ask('PluginVmStartup', { id: 8n });
    await rig.client.ask('TerminaVmStartup', { cid: 8 });
    await rig.client.ask('ArcVmStartup', { cid: 9 });
    const { devices } = await rig.client.ask('GetDevices', {});
    expect(devices.map(({ ifname, guestType }) => [ifname, guestType])).toEqual([
      ['arc_eth0', NetworkDeviceGuestType.ARCVM],
      ['arc_eth1', NetworkDeviceGuestType.ARCVM],
      ['vmtap0', NetworkDeviceGuestType.PLUGIN_VM],
      ['vmtap1', NetworkDeviceGuestType.TERMINA_VM],
    ]);
    release();
    await rig.client.ask('PluginVmShutdown', { id: 8n });
    await rig.client.ask('TerminaVmShutdown', { cid: 8 });
    await rig.client.ask('ArcVmShutdown', { cid: 9 });
    await rig.expectIdle();
  },
);

interface Heard {
  readonly event: 'DEVICE_ADDED' | 'DEVICE_REMOVED' | 'unknown';
  readonly device: Device | undefined;
  /** When the signal was heard: the link exists, has its address, and its packets are let in. */
  readonly usable: boolean;
}

/** Looks with no await in between, so that what is seen is what the hearer of the signal finds. */
function isUsable({ ifname, hostIpv4Addr }: Device): boolean {
  const address = [0, 8, 16, 24].map((shift) => (hostIpv4Addr >>> shift) & 255).join('.');
  const look = `ip -4 -o addr show up dev ${ifname} | grep -q ' ${address}/' && nft get element inet patchpanel guests '{ "${ifname}" }'`;
  const enter = ['--target', String(rig.lab.host.pid), '--net', '--', 'sh', '-c', look];
  return spawnSync('nsenter', enter, { stdio: 'ignore' }).status === 0;
}

/** A look takes no longer than this syscall: whether the host has the link now. */
const exists = ({ ifname }: Device): boolean =>
  existsSync(`/proc/${rig.lab.host.pid}/root/sys/class/net/${ifname}`);

async function listen(look: (device: Device) => boolean): Promise<{ heard: Heard[]; stop: () => void }> {
  const heard: Heard[] = [];
  const stop = await rig.client.onDeviceChanged(({ device: changed, event }) => {
    const name = Object.entries(NetworkDeviceChangedSignalEvent).find(([, number]) => number === event)?.[0];
    const usable = changed !== undefined && look(changed);
    heard.push({ event: name as Heard['event'], device: changed, usable });
  });
  return { heard, stop };
}

labTest(
  'NetworkDeviceChanged says ADDED when the device is usable, with the words of the reply',
  async () => {
    const { heard, stop } = await listen(isUsable);
    const { device: termina } = await rig.client.ask('TerminaVmStartup', { cid: 2 });
    const { device: plugin } = await rig.client.ask('PluginVmStartup', { id: 2n });
    await rig.client.ask('ArcVmStartup', { cid: 2 });
    const { devices: all } = await rig.client.ask('GetDevices', {});
    await until('all were heard of', () => heard.length === 4);
    const added = [termina, plugin, ...all.slice(0, 2)];
    expect(heard).toEqual(added.map((each) => ({ event: 'DEVICE_ADDED', device: each, usable: true })));
    stop();
    await rig.client.ask('TerminaVmShutdown', { cid: 2 });
    await rig.client.ask('PluginVmShutdown', { id: 2n });
    await rig.client.ask('ArcVmShutdown', { cid: 2 });
    await rig.expectIdle();
  },
);

/** The hearer runs beside the manager, so a late hearer proves nothing; one that ever finds the link there does. */
labTest('NetworkDeviceChanged says REMOVED while the interface still exists', async () => {
  const { heard, stop } = await listen(exists);
  for (
    let round = 0;
    round < 200 && !heard.some(({ event, usable }) => event === 'DEVICE_REMOVED' && usable);
    round++
  ) {
    await rig.client.ask('TerminaVmStartup', { cid: 2 });
    await rig.client.ask('TerminaVmShutdown', { cid: 2 });
    await until('both were heard', () => heard.length === 2 * (round + 1));
  }
  expect(heard.map(({ event }) => event)).toEqual(
    heard.map((_, i) => (i % 2 === 0 ? 'DEVICE_ADDED' : 'DEVICE_REMOVED')),
  );
  expect(heard.at(-1)).toMatchObject({ event: 'DEVICE_REMOVED', usable: true });
  stop();
  await rig.expectIdle();
});

/** What was heard last of each device, and what GetDevices says: the answer and the signals come by one connection, so they are in order. */
labTest('GetDevices says what the signals before it have said, no more and no less', async () => {
  const told = new Set<string>();
  const faults: string[] = [];
  const asked: Promise<void>[] = [];
  const compare = async (when: string): Promise<void> => {
    const { devices } = await rig.client.ask('GetDevices', {});
    const said = devices.map(({ ifname }) => ifname);
    if (said.join() !== [...told].join()) faults.push(`${when}: ${said.join()}, told ${[...told].join()}`);
  };
  const stop = await rig.client.onDeviceChanged(({ device: { ifname } = { ifname: '' }, event }) => {
    if (event === NetworkDeviceChangedSignalEvent.DEVICE_ADDED) told.add(ifname);
    else told.delete(ifname);
    if (event === NetworkDeviceChangedSignalEvent.DEVICE_REMOVED) asked.push(compare(`${ifname} goes`));
  });
  for (let round = 0; round < 20; round++) {
    await rig.client.ask('TerminaVmStartup', { cid: 2 });
    await compare('it came');
    await rig.client.ask('TerminaVmShutdown', { cid: 2 });
    await Promise.all(asked.splice(0));
  }
  expect(faults).toEqual([]);
  stop();
  await rig.expectIdle();
});
