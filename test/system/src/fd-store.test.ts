import {
  ApiClient,
  type Guest,
  type HostListing,
  hostListing,
  labTest,
  lastSeen,
  listingDifference,
  type Manager,
  seenAs,
  ServiceUnit,
  STANDARD,
  standardLab,
  type StandardLab,
  startTransfer,
  until,
} from '@pp/lab';
import { UPLINK_ARGS } from './guest-rig';

/** A connected namespace lives through the manager's end if its lifeline is in systemd's store, and for as long as its client lives. */

const { internet, host: uplink } = STANDARD;
const MEGABYTE = 1_000_000;

let lab: StandardLab;
let unit: ServiceUnit;
let manager: Manager;
let client: ApiClient;
let guest: Guest;
let untouched: HostListing;
let idle: HostListing;

beforeAll(async () => {
  lab = await standardLab({ secondUplink: true });
  untouched = await hostListing(lab.host);
  unit = new ServiceUnit(lab.host);
  client = await ApiClient.open(lab.bus.outside);
  guest = await lab.guest('guest');
}, 60_000);

afterAll(async () => {
  await lab.close();
  client.close();
  unit.close();
}, 60_000);

async function start(onExit: 'clean' | 'keep' = 'keep'): Promise<void> {
  manager = await unit.start([...UPLINK_ARGS, '--on-exit', onExit]);
}

const difference = async (): Promise<readonly string[]> =>
  listingDifference(idle, await hostListing(lab.host));

async function expectIdle(): Promise<void> {
  const look = async () => ({ left: await difference(), stored: [...unit.stored] });
  const isIdle = ({ left, stored }: Awaited<ReturnType<typeof look>>): boolean =>
    left.length + stored.length === 0;
  expect(await lastSeen('the host is as without guests', look, isIdle)).toEqual({ left: [], stored: [] });
}

const openFds = async (): Promise<number> =>
  Number(await lab.host.shell(`ls /proc/${manager.pid}/fd | wc -l`));

const ENDS = [
  { name: 'kill -9', end: () => manager.kill() },
  { name: 'SIGTERM with --on-exit keep', end: () => manager.stop() },
] as const;

for (const { name, end } of ENDS) {
  labTest(`a transfer of a namespace lives through ${name}, and its lifeline still holds it`, async () => {
    await start();
    idle = await hostListing(lab.host);
    const { reply, release } = await client.connect({ pid: guest.pid, outboundPhysicalDevice: 'eth1' });
    await until('the lifeline is stored', () => unit.stored.length === 1); // it comes by a socket of its own
    const link = async (): Promise<string> =>
      lab.host.shell(`cat /sys/class/net/${reply.hostIfname}/ifindex`);
    const ifindex = await link();
    const transfer = await startTransfer(guest, internet.v4);
    await transfer.goesOn(4 * MEGABYTE);
    for (let round = 0; round < 2; round++) {
      await end();
      await transfer.goesOn(4 * MEGABYTE);
      await start();
      await transfer.goesOn(4 * MEGABYTE);
    }
    expect(await transfer.finish()).toBeGreaterThan(20 * MEGABYTE);
    expect(await link()).toBe(ifindex);
    expect(await seenAs(guest, internet.v4)).toBe(uplink.eth1); // pinned as before
    expect(unit.stored).toHaveLength(1);
    release();
    await expectIdle();
    await manager.stop();
  });
}

labTest('a namespace whose client died while no manager ran is taken away by the next', async () => {
  await start();
  const lasting = await client.connect({ pid: guest.pid });
  const brief = await client.connect({ pid: -1 });
  await manager.kill();
  brief.release();
  await start();
  const names = await lab.host.ok('ip', ['netns', 'list']);
  expect(names).toContain(lasting.reply.netnsName);
  expect(names).not.toContain(brief.reply.netnsName);
  expect(unit.stored).toHaveLength(1);
  expect(await seenAs(guest, internet.v4)).toBe(uplink.v4);
  lasting.release();
  await expectIdle();
  await manager.stop();
});

labTest('a guest that keeps its link out of its namespace keeps no manager from its start', async () => {
  await start();
  const stubborn = await lab.guest('stubborn');
  const held = [await client.connect({ pid: stubborn.pid }), await client.connect({ pid: guest.pid })];
  await until('both lifelines are stored', () => unit.stored.length === 2);
  await manager.kill();
  const ifname = held[0]?.reply.peerIfname ?? '';
  await stubborn.shell(`ip link del ${ifname}; ip link add ${ifname} type bridge`);
  await start();
  expect(manager.process.output()).toContain('"event":"start.incomplete"');
  expect(await seenAs(guest, internet.v4)).toBe(uplink.v4);
  for (const { release } of held) release();
  await expectIdle();
  await manager.stop();
  await stubborn.end();
});

labTest('a start with stored lifelines has not a descriptor more than it had before', async () => {
  await start();
  const held = [await client.connect({ pid: guest.pid }), await client.connect({ pid: -1 })];
  await until('both lifelines are stored', () => unit.stored.length === 2);
  const before = await openFds();
  for (let round = 0; round < 3; round++) {
    await manager.kill();
    await start();
  }
  await until('no more are open than before', async () => (await openFds()) <= before);
  for (const { release } of held) release();
  await expectIdle();
  await manager.stop();
});

labTest(
  '--on-exit clean takes namespaces away, whatever is stored; the next start empties the store',
  async () => {
    await start('clean');
    const { release } = await client.connect({ pid: guest.pid });
    await client.connect({ pid: -1 });
    expect((await manager.stop()).code).toBe(0);
    await until(
      'the host is as it was',
      async () => listingDifference(untouched, await hostListing(lab.host)).length === 0,
    ).catch(async () => {
      expect(listingDifference(untouched, await hostListing(lab.host))).toEqual([]);
    });
    await start();
    await expectIdle();
    release();
    await manager.stop();
  },
);
