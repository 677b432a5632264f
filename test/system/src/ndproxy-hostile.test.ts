import {
  type Child,
  globalAddress,
  type Host,
  labForEach,
  labTest,
  STANDARD,
  type StandardLab,
  until,
} from '@pp/lab';
import { loadNative } from '@pp/native';
import { linkAddressOption, multicastMac, ndFrame, solicitedNodeOf } from '@pp/wire';
import { answers, bytesOf, forward, guestBehind, startProxy, status, up, type Status } from './ndproxy-rig';

/*
 * internet -- router (radvd) -- lan: lanhost, host eth0 -- ndproxy -- vg1: g1
 */

let lab: StandardLab;

labForEach(async (opened) => {
  lab = opened;
  await forward(lab.host);
});

/** Solicitations for that many addresses of the prefix, from the neighbour on the LAN, as a scan of it makes. */
function scan({ pid }: Host, count: number): void {
  const native = loadNative();
  const netns = native.openNetns({ pid });
  const ifindex = 2; // eth0: lo is the first
  const socket = native.runInNetns(netns, () =>
    native.openPacket({
      mode: 'raw',
      protocol: 0,
      ifindex,
      onFrames: () => undefined,
      onError: () => undefined,
    }),
  );
  const mac = LANHOST_MAC;
  const source = bytesOf(STANDARD.lanhost.v6);
  const target = bytesOf('2001:db8:77::dead:0:0');
  for (let sent = 0; sent < count; sent += 64) {
    const frames = Array.from({ length: 64 }, (_, i) => {
      new DataView(target.buffer).setUint32(12, sent + i + 1);
      const destination = solicitedNodeOf(target);
      return ndFrame(
        { sourceMac: mac, destinationMac: multicastMac(destination), source, destination },
        { kind: 'neighbor-solicit', target: target.slice(), options: [linkAddressOption('source', mac)] },
      );
    });
    socket.send(frames);
  }
  socket.close();
  native.closeFd(netns);
}

/** The lab's: host 20 of segment 77. */
const LANHOST_MAC = Uint8Array.of(2, 0x50, 0x50, 0, 0x77, 0x20);

labTest('a scan of the prefix disturbs nobody, and is not remembered', async () => {
  const g1 = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(g1);
  const address = await globalAddress(g1);
  await answers(lab.internet, address);
  const before = await status(lab.host);
  const routes = await lab.host.shell('ip -6 route show proto 81');
  const asked = (now: Status): number => now.groups[0]?.['received'] ?? 0;
  const COUNT = 20_032;
  for (let round = 0; round < 3; round++) {
    scan(lab.lanhost, COUNT);
    await answers(lab.internet, address); // in the middle of it
  }
  const after = await until('as many as one scan has were heard', async () => {
    scan(lab.lanhost, COUNT / 4); // what the kernel drops of it nobody hears
    const now = await status(lab.host);
    return asked(now) - asked(before) > COUNT ? now : undefined;
  });
  const { received = NaN, forwarded = 0, local = 0, dropped = 0, waiting = 0 } = after.groups[0] ?? {};
  expect(received).toBe(forwarded + local + dropped + waiting);
  expect(after.neighbors).toContainEqual(expect.objectContaining({ address, ifname: 'vg1' }));
  expect(after.neighbors.length).toBeLessThan(before.neighbors.length + 10);
  expect(await lab.host.shell('ip -6 route show proto 81')).toBe(routes);
  await lab.lanhost.shell('ip -6 neigh flush dev eth0');
  await answers(lab.lanhost, address);
});

labTest('an Ethernet address that changes, here or at the guest, is followed', async () => {
  const g1 = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(g1);
  const address = await globalAddress(g1);
  await answers(lab.internet, address);
  await lab.host.shell('ip link set vg1 address 02:50:50:00:99:77');
  await g1.shell('ip -6 neigh flush dev eth0');
  await answers(g1, STANDARD.internet.v6);
  expect(await g1.ok('ip', ['-6', 'neigh', 'show', 'dev', 'eth0'])).toContain('02:50:50:00:99:77');
  await g1.shell('ip link set eth0 address 02:50:50:00:99:78'); // with keep_addr_on_down or not, Linux checks its addresses anew
  await g1.shell('ip link set eth0 down; ip link set eth0 up');
  await answers(lab.internet, await globalAddress(g1));
});

labTest('the host keeps its own IPv6 while it forwards', async () => {
  const own = (): Promise<string> =>
    lab.host.shell("ip -6 addr show dev eth0 scope global | grep -o 'inet6 [^ ]*'");
  const before = await own();
  const g1 = await guestBehind(lab, 'g1', 'vg1');
  const proxy = await startProxy(lab.host, ['eth0', 'vg1']);
  await up(g1);
  await answers(lab.internet, await globalAddress(g1));
  // A router advertisement later (radvd: every 3 to 4 s) its default route is a new one.
  await lab.host.shell('ip -6 route del default');
  await until('the host has its default route again', async () =>
    (await lab.host.ok('ip', ['-6', 'route', 'show', 'default'])).includes('via fe80:'),
  );
  await answers(lab.host, STANDARD.internet.v6);
  expect(await own()).toBe(before);
  await proxy.stop();
  expect(await own()).toBe(before);
});

/** Both join the LAN and the guests' segment; all reach each other. */
async function bridgesInParallel(): Promise<{ readonly second: Child; readonly g1: Host }> {
  const second = await lab.lab.host('second');
  await lab.lab.plug(second, 'lan', { ifname: 'eth0', mac: '02:50:50:00:77:03', addresses: [] });
  await lab.lab.plug(lab.host, 'guests', { ifname: 'guests0', mac: '02:50:50:00:99:01', addresses: [] });
  await lab.lab.plug(second, 'guests', { ifname: 'guests0', mac: '02:50:50:00:99:02', addresses: [] });
  const g1 = await lab.lab.host('g1');
  await lab.lab.plug(g1, 'guests', { ifname: 'eth0', mac: '02:50:50:00:99:03', addresses: [] });
  const args = ['--mode', 'bridge', '--loop-policy', 'nested', 'eth0', 'guests0'];
  await startProxy(lab.host, args);
  const proxy = await startProxy(second, args);
  const address = await globalAddress(g1);
  await answers(g1, STANDARD.lanhost.v6);
  await answers(lab.lanhost, address);
  return { second: proxy, g1 };
}

const sent = async (): Promise<number> => (await status(lab.host)).groups[0]?.['sent'] ?? NaN;

/** Packets in a second or two that settle are tens, also where a flooded machine holds one of the bridges up; those of a circle thousands. */
const STORM = 500;

/** Takes a second and more. */
const pingAll = (from: Host): Promise<unknown> =>
  from.run('ping', ['-6', '-c', '2', '-W', '1', 'ff02::1%eth0']);

labTest('two bridges in parallel settle: packets to groups do not go round', async () => {
  const { g1 } = await bridgesInParallel();
  const before = await sent();
  await pingAll(g1);
  expect((await sent()) - before).toBeLessThan(STORM);
});

labTest('two bridges in parallel find each other, and the status tells', async () => {
  const { g1 } = await bridgesInParallel();
  let found: ReadonlySet<string> = new Set();
  await until('a detour in the status', async () => {
    await pingAll(g1);
    found = new Set((await status(lab.host)).detours.map(({ mac }) => mac));
    return found.size > 0;
  });
  const second = new Set(['02:50:50:00:77:03', '02:50:50:00:99:02']);
  expect([...found].filter((mac) => !second.has(mac))).toEqual([]);
});

labTest('one of two bridges is held up, and what waited for it does not go round', async () => {
  const { second, g1 } = await bridgesInParallel();
  second.kill('SIGSTOP');
  await pingAll(lab.lanhost); // so it will read its socket on the LAN first
  await pingAll(g1);
  const before = await sent();
  second.kill('SIGCONT');
  await pingAll(g1);
  expect((await sent()) - before).toBeLessThan(STORM);
  await answers(lab.lanhost, await globalAddress(g1));
});
