import { seconds } from '@pp/base';
import {
  GUEST_KINDS,
  hostListing,
  labMissing,
  labTest,
  listingDifference,
  program,
  secondUidMissing,
  type RunningGuest,
  seenAs,
  STANDARD,
  startArcContainer,
  startManager,
  startPlugin,
  startTermina,
  startTransfer,
  STATE_INSIDE,
  stateDirectory,
} from '@pp/lab';
import type { Json } from '@pp/ports';
import { FileJournal } from '@pp/state';
import { join } from 'node:path';
import { GuestRig, UPLINK_ARGS } from './guest-rig';

/** What becomes of guests when the manager dies, is stopped, and comes back. */

const { internet, host: uplink } = STANDARD;
const MEGABYTE = 1_000_000;

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

async function startAgain(more: readonly string[] = []): Promise<void> {
  rig.manager = await startManager(rig.lab.host, { args: [...UPLINK_ARGS, ...more] });
}

/** A client that was there before goes on: the bus is the same. */
const devices = async (): Promise<readonly string[]> =>
  (await rig.client.ask('GetDevices', {})).devices.map(({ ifname }) => ifname);

/** Ends the manager in some way while `transfer` runs, and starts it again; the transfer goes on all the while. */
async function throughRestart(guest: RunningGuest, end: () => Promise<unknown>): Promise<number> {
  const transfer = await startTransfer(guest.guest, internet.v4);
  await transfer.goesOn(8 * MEGABYTE);
  await end();
  await transfer.goesOn(4 * MEGABYTE);
  await startAgain();
  await transfer.goesOn(8 * MEGABYTE);
  return transfer.finish();
}

/** An ifindex changes when a link is made anew. */
const ifindexOf = async (ifname: string): Promise<string> =>
  (await rig.lab.host.shell(`cat /sys/class/net/${ifname}/ifindex`)).trim();

for (const kind of GUEST_KINDS) {
  labTest(`${kind.name}: a transfer lives through kill -9 of the manager, on the same link`, async () => {
    const guest = await kind.start(rig);
    const [index, before] = [await ifindexOf(guest.link), await devices()];
    const listed = await rig.lastingDifference();
    const bytes = await throughRestart(guest, () => rig.manager.kill());
    expect(bytes).toBeGreaterThan(20 * MEGABYTE);
    expect([await ifindexOf(guest.link), await devices()]).toEqual([index, before]);
    expect(await rig.lastingDifference()).toEqual(listed);
    await guest.stop();
    await expectIdleAnew();
  });
}

labTest(
  '--on-exit keep: a transfer lives through SIGTERM, and the next start takes the guest over',
  async () => {
    await rig.manager.stop();
    await startAgain(['--on-exit', 'keep']);
    const guest = await startTermina(rig, 7);
    const index = await ifindexOf(guest.link);
    const bytes = await throughRestart(guest, async () => {
      expect((await rig.manager.stop()).code).toBe(0);
    });
    expect(bytes).toBeGreaterThan(20 * MEGABYTE);
    expect([await ifindexOf(guest.link), await devices()]).toEqual([index, [guest.link]]);
    await guest.stop();
    await expectIdleAnew();
  },
);

labTest('--on-exit clean: SIGTERM takes a running VM along, and leaves nothing', async () => {
  const guest = await startPlugin(rig, 7);
  const { code } = await rig.manager.stop();
  expect(code).toBe(0);
  const listing = await hostListing(rig.lab.host);
  expect(listing.filter((line) => /patchpanel|vmtap|100\.115/.test(line))).toEqual([]);
  await guest.guest.end();
  await startAgain();
  await expectIdleAnew();
});

for (const accepts of ['0', '1'])
  labTest(
    `--on-exit clean: a host with accept_redirects ${accepts} that does not forward is so again`,
    async () => {
      const keys = ['net.ipv4.ip_forward', 'net.ipv4.conf.all.accept_redirects'];
      const values = async () => (await rig.lab.host.ok('sysctl', ['-n', ...keys])).trim().split('\n');
      await rig.manager.stop();
      await rig.lab.host.ok('sysctl', ['-q', '-w', `${keys[0]}=0`, `${keys[1]}=${accepts}`]);
      await startAgain();
      expect(await values()).toEqual(['1', '0']); // the kernel's own choice for who forwards
      await rig.manager.stop();
      expect(await values()).toEqual(['0', accepts]);
      await startAgain();
      await expectIdleAnew();
    },
  );

labTest('killed, and started without the --pool that a VM is in: the VM keeps its addresses', async () => {
  const POOL_SIZE = 32; // the reference's, which is given out first
  await rig.manager.stop();
  await startAgain(['--pool', 'plugin=10.80.0.0/24']);
  const others = Array.from({ length: POOL_SIZE }, (_, i) => BigInt(100 + i));
  for (const id of others) await rig.client.ask('PluginVmStartup', { id });
  const guest = await startPlugin(rig, 7);
  expect(await rig.lab.host.ok('ip', ['-o', '-4', 'address', 'show', guest.link])).toContain(
    ' 10.80.0.1/29 ',
  );
  expect(await throughRestart(guest, () => rig.manager.kill())).toBeGreaterThan(20 * MEGABYTE);
  expect(rig.manager.process.stderr).toContain('"pool":"plugin=10.80.0.0/24"');
  await guest.stop();
  for (const id of others) await rig.client.ask('PluginVmShutdown', { id });
  await rig.manager.stop();
  await startAgain();
  await expectIdleAnew();
});

labTest('SIGTERM while the manager starts is a clean end, and leaves nothing', async () => {
  await rig.manager.stop();
  const args = ['--state-dir', STATE_INSIDE, ...UPLINK_ARGS];
  const child = rig.lab.host.spawn(program('patchpanel-manager'), args);
  await child.line('sign of its beginning', (line) => line.startsWith('local-sources') || undefined);
  const { code, stderr } = await child.stop(seconds(25));
  expect([code, stderr]).toEqual([0, expect.stringMatching(/stopping\n(.*\n)?stopped\n$/)]);
  const listing = await hostListing(rig.lab.host);
  expect(listing.filter((line) => /patchpanel|100\.115|"protocol":"80"/.test(line))).toEqual([]);
  await startAgain();
  await expectIdleAnew();
});

labTest('where /proc/sys is read-only the manager says so, and touches nothing', async () => {
  const readOnly = 'mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys; exec "$@"';
  const manager = [program('patchpanel-manager'), '--state-dir', `${STATE_INSIDE}-of-another`];
  const { code, stderr } = await rig.lab.host.run('unshare', [
    ...['--mount', '--', 'sh', '-euc', readOnly, 'sh', ...manager],
  ]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^patchpanel-manager: \/proc\/sys cannot be written \(EROFS\): [^\n]+\n$/),
  ]);
});

labTest('on a full disk requests are refused, and what was promised before outlives kill -9', async () => {
  const { host } = rig.lab;
  await rig.manager.stop();
  await host.shell(`mkdir -p ${STATE_INSIDE}; mount -t tmpfs -o size=256k tmpfs ${STATE_INSIDE}`);
  await startAgain();
  await rig.client.ask('TerminaVmStartup', { cid: 7 });
  await host.shell(`dd if=/dev/zero of=${STATE_INSIDE}/fill bs=1k status=none || true`);
  const { message } = await firstRefusal();
  expect(message).toMatch(/^the journal \S+ cannot be written: ENOSPC[^\n]*; nothing was changed$/);
  expect(await devices()).toEqual(['vmtap0']);
  await host.shell(`rm ${STATE_INSIDE}/fill`);
  (await rig.client.connect({ pid: -1 })).release();
  await rig.manager.kill();
  await startAgain();
  expect(await devices()).toEqual(['vmtap0']);
  await rig.manager.stop();
  await host.shell(`umount ${STATE_INSIDE}`);
  await startAgain();
  await expectIdleAnew();
});

const UNSTARTABLE = [
  {
    name: 'a full state directory',
    script: `mount -t tmpfs -o size=64k tmpfs ${STATE_INSIDE}; dd if=/dev/zero of=${STATE_INSIDE}/fill bs=4k status=none || true`,
    what: `the journal ${STATE_INSIDE}/journal cannot be written (ENOSPC); make room in ${STATE_INSIDE} or`,
  },
  {
    name: 'a state directory that takes no more files',
    script: `mount -t tmpfs -o nr_inodes=1 tmpfs ${STATE_INSIDE}`,
    what: `the status socket ${STATE_INSIDE}/patchpanel-manager.sock cannot be made (ENOSPC); make room in ${STATE_INSIDE} or`,
  },
  {
    name: 'a state directory with something else in the place of the journal',
    script: `mount -t tmpfs tmpfs ${STATE_INSIDE}; mkdir ${STATE_INSIDE}/journal`,
    what: `the journal ${STATE_INSIDE}/journal cannot be opened (EISDIR);`,
  },
];
for (const { name, script, what } of UNSTARTABLE) {
  labTest(`${name}: the start says in one line which it is and what to do, and touches nothing`, async () => {
    const { host } = rig.lab;
    await rig.manager.stop();
    const before = await hostListing(host);
    await host.shell(script);
    const args = ['--state-dir', STATE_INSIDE, '--log-level', 'error', ...UPLINK_ARGS];
    const { code, stderr } = await host.run(program('patchpanel-manager'), args);
    await host.shell(`umount ${STATE_INSIDE}`);
    expect([code, stderr]).toEqual([1, `patchpanel-manager: ${what} use another --state-dir\n`]);
    expect(listingDifference(before, await hostListing(host))).toEqual([]);
    await startAgain();
    await expectIdleAnew();
  });
}

/** Of namespaces that come and go until there is no room for another line of the journal. */
async function firstRefusal(): Promise<Error> {
  for (let n = 0; n < 200; n++) {
    const refused = await rig.client.connect({ pid: -1 }).then(
      ({ release }) => {
        release();
      },
      (fault: unknown) => fault as Error,
    );
    if (refused !== undefined) return refused;
  }
  return new Error('never');
}

labTest('an ARC container whose process died while the manager was away is not kept', async () => {
  const android = await startArcContainer(rig);
  await rig.manager.kill();
  await android.guest.end();
  await startAgain();
  expect(await devices()).toEqual([]);
  await expectIdleAnew();
});

labTest('a process that moved to another namespace is not taken for the ARC container it was', async () => {
  const android = await rig.lab.guest('android');
  const shell = rig.lab.host.spawn(
    'unshare',
    ['--net', '--', 'sh', '-c', 'echo here; read x; exec unshare --net -- sh -c "echo moved; read y"'],
    { stdio: 'open' },
  );
  await shell.line('being there', (line) => (line === 'here' ? true : undefined));
  await rig.client.ask('ArcStartup', { pid: shell.pid });
  await rig.manager.kill();
  shell.write('go\n');
  await shell.line('having moved', (line) => (line === 'moved' ? true : undefined));
  await startAgain();
  expect(await devices()).toEqual([]);
  shell.kill('SIGKILL');
  await shell.exited;
  await android.end();
  await expectIdleAnew();
});

/** Of the two things that tell a process from a later one of its pid, one is made different in the journal. */
const REUSED = [
  { name: 'the process began at another time', was: { startTime: '1' } },
  { name: 'the namespace is another one', was: { inode: 1 } },
] as const;

for (const { name, was } of REUSED) {
  labTest(`an ARC container whose pid was given out again is not kept: ${name}`, async () => {
    const android = await startArcContainer(rig);
    await rig.manager.kill();
    rewriteArc((container) => ({ ...container, ...was }));
    await startAgain();
    expect(await devices()).toEqual([]);
    expect(await android.guest.json('ip', '-j', 'link', 'show')).toHaveLength(1); // lo: nothing of ours is left inside
    await android.guest.end();
    await expectIdleAnew();
  });
}

/** While no manager runs. */
function rewriteArc(change: (container: object) => object): void {
  const journal = new FileJournal(join(stateDirectory(rig.lab.host), 'journal'));
  const arc = journal.load().entries.get('arc/0') as { readonly container: object };
  const put = new Map([['arc/0', { ...arc, container: change(arc.container) } as Json]]);
  journal.begin({ put, del: [] });
  journal.commit();
  journal.close();
}

labTest(
  'TAPs belong to --tap-owner, who opens them without privileges',
  async () => {
    await rig.manager.stop();
    await startAgain(['--tap-owner', 'nobody']);
    // As udev makes it on any Debian; in a container it may be root's.
    await rig.lab.host.shell('mknod -m 666 /run/tun c 10 200; mount --bind /run/tun /dev/net/tun');
    const uid = Number((await rig.lab.host.ok('id', ['-u', 'nobody'])).trim());
    const theirs = await startTermina(rig, 7, uid);
    expect(await seenAs(theirs.guest, internet.v4)).toBe(uplink.v4);
    await expect(startPlugin(rig, 7, 0, uid - 1)).rejects.toThrow(/EPERM/);
    await theirs.stop();
    await rig.lab.host.shell('umount --lazy /dev/net/tun; rm /run/tun');
    await rig.manager.stop();
    await startAgain();
    await expectIdleAnew();
  },
  labMissing() ?? secondUidMissing(),
);

/** A new process has other descriptors. */
async function expectIdleAnew(): Promise<void> {
  await rig.expectUnchanged();
}
