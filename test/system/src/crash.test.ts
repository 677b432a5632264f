import { seconds } from '@pp/base';
import {
  ApiClient,
  type Child,
  type Guest,
  type HostListing,
  hostListing,
  labMissing,
  lastSeen,
  listingDifference,
  standardLab,
  type StandardLab,
  startManager,
  stateDirectory,
  until,
} from '@pp/lab';
import { DBusError } from '@pp/dbus';
import { encode, SetDnsRedirectionRuleRequestRuleType as RuleType } from '@pp/proto';
import { buildSync } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { access, create, forwarding, lockdown, remove } from './port-rules';

/*
 * Killed right before and right after each journal write and each kernel step of a story that passes through every use case; then the real
 * manager starts, and the host must be what the journal says: VMs are there as they were promised, namespaces (whose lifelines are
 * gone) are not; foreign things are untouched. CI takes every CRASH_STRIDE-th step (default 12), from a start that moves with the day;
 * CRASH_STRIDE=1 takes all, and CRASH_FROM=N goes on at the N-th step.
 */
const STRIDE = Number(process.env['CRASH_STRIDE'] ?? 12);
const FROM = Number(process.env['CRASH_FROM'] ?? 1 + (Math.floor(Date.now() / 86_400_000) % STRIDE));
const UPLINKS = [
  ...['--uplink', 'eth0=ethernet', '--uplink', 'eth1=ethernet', '--uplink', 'wlan0=wifi'],
  ...['--helpers', 'none'],
];
/** More than the story has. */
const MOST_STEPS = 600;
/** Two kills, four starts and as many listings. */
const PER_STEP = seconds(50);

const missing = labMissing();
const crashTest = missing === undefined ? test : test.skip;

let lab: StandardLab;
let guest: Guest;
let android: Guest;
let dir: string;
let untouched: HostListing;

beforeAll(async () => {
  if (missing !== undefined) return;
  dir = mkdtempSync(join(tmpdir(), 'pp-crash-'));
  lab = await standardLab({ secondUplink: true });
  guest = await lab.guest('guest');
  android = await lab.guest('android');
  await addForeignThings();
  await until(
    'the kernel has seen that arc_other has no carrier',
    async () => (await lab.host.shell('cat /sys/class/net/arc_other/operstate')) === 'lowerlayerdown\n',
  );
  untouched = await hostListing(lab.host);
  bundle(join(dir, 'crash-manager'));
}, 60_000);

afterAll(async () => {
  if (missing !== undefined) return;
  await lab.close();
  rmSync(dir, { recursive: true });
}, 60_000);

/** What is alike to ours and not ours. */
async function addForeignThings(): Promise<void> {
  await lab.host.shell(`
    ip link add arc_other type veth peer name vethother
    ip link set arc_other up alias somebody:else
    ip netns add connected_netns_other
    ip rule add from 10.9.9.9 lookup 999 priority 1010
    ip route add blackhole 10.8.0.0/16
    nft add table inet others '{ chain c { type filter hook forward priority 0; counter; }; }'
    echo 1 > /proc/sys/net/ipv4/conf/all/log_martians
    for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done`); // addresses do not change by themselves
}

function bundle(outfile: string): void {
  buildSync({
    entryPoints: [join(__dirname, 'crash-main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['usocket'],
    define: { __PP_VERSION__: '"0.0.0"' },
    absWorkingDir: resolve(__dirname, '../../..'),
  });
}

/** Starts the mortal manager; resolves when it is ready or has died. */
async function startMortal(env: { readonly CRASH_AT: string } | { readonly THEN: string }): Promise<Child> {
  const args = [
    join(dir, 'crash-manager'),
    '--state-dir',
    '/run/lab/state',
    '--log-format',
    'json',
    ...UPLINKS,
  ];
  const addon = resolve(__dirname, `../../../dist/native/addon-${process.arch}.node`);
  const child = lab.host.spawn(process.execPath, args, { env: { ...env, PP_ADDON_PATH: addon } });
  await child
    .line('log line "ready"', (line) => (line.includes('"ready"') ? true : undefined))
    .catch(() => undefined);
  return child;
}

const WIFI_COMES = `
  ip link add wlan0 address 02:50:50:00:99:02 type veth peer name air address 02:50:50:00:99:01
  ip link set air up
  ip link set wlan0 up`;
const WIFI_GOES = 'ip link del wlan0';

/** One of each type. */
const PORTS = [
  access('tcp', 8080, 'vmtap0'),
  lockdown('udp', 5353),
  forwarding('tcp', 'eth0', 8081, '100.115.92.26:80'),
];

/** Rules that are not a guest's: of ports, of DNS, of the VPN. All is taken back but for what a kill left. */
async function rules(client: ApiClient): Promise<void> {
  const [keep, send] = client.native.pipe();
  const dns = { type: RuleType.DEFAULT, inputIfname: 'vmtap0', proxyAddress: '192.168.77.2' };
  try {
    await create(client, ...PORTS);
    await client.ask('SetVpnLockdown', { enableVpnLockdown: true });
    await client.raw('SetDnsRedirectionRule', encode('SetDnsRedirectionRuleRequest', dns), [send]);
  } finally {
    client.native.closeFd(send);
    client.native.closeFd(keep); // the redirection goes
  }
  await client.ask('SetVpnLockdown', { enableVpnLockdown: false });
  await remove(client, ...PORTS);
}

/** Every use case once: start, connect (pinned, new), VM start, rules, uplink change, release, VM stop, ARC follows its uplinks, stop. */
async function story(child: Child): Promise<void> {
  const client = await ApiClient.open(lab.bus.outside);
  try {
    const first = await client.connect({ pid: guest.pid, outboundPhysicalDevice: 'eth1' });
    await client.connect({ pid: -1, routeOnVpn: true });
    await client.raw('TerminaVmStartup', encode('TerminaVmStartupRequest', { cid: 7 }));
    await client.raw('PluginVmStartup', encode('PluginVmStartupRequest', { id: 9n, subnetIndex: 3 }));
    await client.raw('ArcVmStartup', encode('ArcVmStartupRequest', { cid: 5 }));
    await rules(client);
    await lab.host.shell(
      'ip route replace default via 192.168.88.1 dev eth1 proto dhcp metric 50; ip route del default dev eth1 metric 50',
    );
    first.release();
    await client.raw('TerminaVmShutdown', encode('TerminaVmShutdownRequest', { cid: 7 }));
    await client.raw('ArcVmShutdown', encode('ArcVmShutdownRequest', { cid: 5 }));
    await client.raw('ArcStartup', encode('ArcStartupRequest', { pid: android.pid }));
    await lab.host.shell(WIFI_COMES);
    await arcHasDevices(3, client, child);
    await lab.host.shell(WIFI_GOES);
    await arcHasDevices(2, client, child);
    await client.raw('ArcShutdown', encode('ArcShutdownRequest', { pid: android.pid }));
    await child.stop(seconds(25));
  } catch (fault) {
    if (fault instanceof DBusError && fault.name.startsWith('org.chromium.')) throw fault; // it lives, and refuses a step of the story
  } finally {
    client.close();
  }
}

async function arcHasDevices(count: number, client: ApiClient, child: Child): Promise<void> {
  await until(`ARC has ${count} devices`, async () => {
    if (!child.isRunning) return true;
    const { devices } = await client.ask('GetDevices', {});
    return devices.filter(({ ifname }) => ifname.startsWith('arc_')).length === count;
  });
}

/** The kernel tells the loss of a TAP's carrier a little later. */
async function settledListing(): Promise<HostListing> {
  let last = await hostListing(lab.host);
  await until('the host has settled', async () => {
    const before = last;
    last = await hostListing(lab.host);
    return (
      listingDifference(before, last).length === 0 &&
      !last.some((line) => line.includes('UNKNOWN') && line.includes('vmtap'))
    );
  });
  return last;
}

/** What a kernel without a past looks like in the world that the journal remembers: a fresh start after everything was taken away. */
async function expectAsJournaled(at: string): Promise<void> {
  await lab.host.run('sh', ['-c', WIFI_GOES]); // if it was there; uplinks go while the manager is away, too
  const manager = await startManager(lab.host, { args: UPLINKS });
  const repaired = await settledListing();
  await manager.kill();
  const again = await startManager(lab.host, { args: UPLINKS });
  expect([at, listingDifference(repaired, await settledListing())]).toEqual([at, []]); // nothing was left to repair
  const client = await ApiClient.open(lab.bus.outside);
  await client.connect({ pid: guest.pid }).then(({ release }) => {
    release();
  });
  for (const [method, body] of [
    ['TerminaVmShutdown', encode('TerminaVmShutdownRequest', { cid: 7 })],
    ['PluginVmShutdown', encode('PluginVmShutdownRequest', { id: 9n })],
    ['ArcVmShutdown', encode('ArcVmShutdownRequest', { cid: 5 })],
    ['ArcShutdown', encode('ArcShutdownRequest', { pid: android.pid })],
  ] as const) {
    await client.raw(method, body).catch(() => undefined); // as far as they were started
  }
  await client.ask('SetVpnLockdown', { enableVpnLockdown: false });
  for (const rule of PORTS) await remove(client, rule).catch(() => undefined); // likewise
  client.close();
  const stopped = await again.stop();
  expect([at, stopped.code]).toEqual([at, 0]);
  const left = await lastSeen(
    'the host is as before',
    async () => listingDifference(untouched, await hostListing(lab.host)),
    ({ length }) => length === 0,
  );
  expect([at, left]).toEqual([at, []]);
}

crashTest('what goes between the repair of a start and its end is put back', async () => {
  const rules = (): Promise<string> => lab.host.ok('ip', ['rule']);
  const child = await startMortal({ THEN: 'ip rule del pref 32763' });
  const seen = await lastSeen('the rule is back', rules, (text) => text.includes('32763:'));
  await child.stop(seconds(25));
  expect(seen).toContain('32763:');
});

const name = `killed before and after every ${STRIDE}th journal write and kernel step, the host becomes what the journal says`;

crashTest(
  missing === undefined ? name : `${name} (needs ${missing})`,
  async () => {
    let kills = 0;
    for (let step = FROM; ; step += STRIDE) {
      for (const when of ['before', 'after']) {
        const at = `${step}:${when}`;
        const child = await startMortal({ CRASH_AT: at });
        await story(child);
        const { signal } = await child.exited;
        if (signal !== 'SIGKILL') {
          expect(kills).toBeGreaterThan(10); // the story has come to its end
          expect(await android.json('ip', '-j', 'link', 'show')).toHaveLength(1); // lo
          return;
        }
        kills++;
        await expectAsJournaled(at);
        rmSync(stateDirectory(lab.host), { recursive: true, force: true });
      }
    }
  },
  Math.ceil(MOST_STEPS / STRIDE) * PER_STEP,
);
