import { seconds } from '@pp/base';
import {
  ApiClient,
  hostListing,
  labMissing,
  labTest,
  listingDifference,
  standardLab,
  startManager,
  stateDirectory,
  until,
  type Host,
  type HostListing,
  type Manager,
  type StandardLab,
} from '@pp/lab';
import { cpSync, rmSync } from 'node:fs';
import { UPLINK_ARGS } from './guest-rig';

/*
 * A seeded walk over starts and stops of VMs and ARC, an uplink that comes and goes, and kills of the manager. After each step the host
 * must look as if its guests had always been there: a second lab with the same uplinks, whose kernel knows nothing, is given a copy of
 * the journal, and a manager there makes all of it anew. Both hosts' listings must then be equal, but for numbers of interfaces and
 * what the kernel makes of chance.
 * Namespaces and ARC containers cannot be had twice, as they end with a lifeline or live in a process: other tests have those.
 *
 *   STEPS=500 SEED=7 npx jest guests-walk
 */

const STEPS = Number(process.env['STEPS'] ?? 30);
const SEED = Number(process.env['SEED'] ?? 20_260_101);

let walked: StandardLab;
let anew: StandardLab;
let manager: Manager;
let client: ApiClient;
let hasWifi = false;

beforeAll(async () => {
  [walked, anew] = await Promise.all([
    standardLab({ secondUplink: true }),
    standardLab({ secondUplink: true }),
  ]);
  manager = await startManager(walked.host, { args: UPLINK_ARGS });
  client = await ApiClient.open(walked.bus.outside);
}, 60_000);

afterAll(async () => {
  client.close();
  await Promise.all([walked.close(), anew.close()]);
}, 60_000);

/** Park and Miller: the same walk for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed % 2_147_483_647 || 1;
  return (sides) => (state = (state * 48_271) % 2_147_483_647) % sides;
}

/** Refusals are part of the walk: of what runs already, of what does not, of exhausted pools. */
const allowed = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (fault: unknown) => {
      const { name, message } = fault as Error;
      if (/\.(AlreadyExists|NotFound|ResourceExhausted)$/.test(name)) return name.replace(/^.*\./, '');
      throw new Error(message);
    },
  );

async function step(roll: (sides: number) => number): Promise<string> {
  const id = 1 + roll(5);
  const [what, outcome] = await act(roll(12), id, roll);
  return `${what}: ${outcome}`;
}

async function act(choice: number, id: number, roll: (sides: number) => number): Promise<[string, string]> {
  const subnetIndex = roll(5);
  const ask = client.ask.bind(client);
  switch (choice) {
    case 0:
    case 1:
      return [`start termina ${id}`, await allowed(ask('TerminaVmStartup', { cid: id }))];
    case 2:
      return [`stop termina ${id}`, await allowed(ask('TerminaVmShutdown', { cid: id }))];
    case 3:
    case 4:
      return [
        `start plugin ${id} at ${subnetIndex}`,
        await allowed(ask('PluginVmStartup', { id: BigInt(id), subnetIndex })),
      ];
    case 5:
      return [`stop plugin ${id}`, await allowed(ask('PluginVmShutdown', { id: BigInt(id) }))];
    case 6:
    case 7:
      return [`start arcvm ${id}`, await allowed(ask('ArcVmStartup', { cid: id }))];
    case 8:
      return [`stop arcvm ${id}`, await allowed(ask('ArcVmShutdown', { cid: id }))];
    case 9:
    case 10:
      return [hasWifi ? 'wlan0 goes' : 'wlan0 comes', await toggleWifi()];
    default:
      return ['kill -9 and start', await killAndStart()];
  }
}

async function killAndStart(): Promise<string> {
  await manager.kill();
  manager = await startManager(walked.host, { args: UPLINK_ARGS });
  return 'done';
}

/** The same numbers of interfaces in both labs: they are in marks and tables. */
async function toggleWifi(): Promise<string> {
  const script = hasWifi
    ? 'ip link del wlan0'
    : `ip link add wlan0 index 500 address 02:50:50:00:99:02 type veth peer name air index 501 address 02:50:50:00:99:01
       ip addr add 192.168.99.2/24 dev wlan0
       ip link set air up
       ip link set wlan0 up
       ip route add default via 192.168.99.1 dev wlan0 metric 600`;
  await Promise.all([walked.host.shell(script), anew.host.shell(script)]);
  hasWifi = !hasWifi;
  return 'done';
}

/** A bridge has a random address until its first port comes, and keeps the link-local one made of it. */
const comparable = async (host: Host): Promise<HostListing> =>
  (await hostListing(host))
    .map((line) => line.replaceAll(/"ifindex":\d+,/g, ''))
    .map((line) =>
      /"arc(br0|_\w+)"/.test(line) ? line.replaceAll(/fe80::[\da-f:]+:[\da-f:]+/g, 'fe80::random') : line,
    )
    .sort();

/** What differs from a host on which the same journal was made true from nothing. */
async function differenceFromNew(): Promise<readonly string[]> {
  rmSync(stateDirectory(anew.host), { recursive: true, force: true });
  cpSync(stateDirectory(walked.host), stateDirectory(anew.host), {
    recursive: true,
    filter: (path) => !path.endsWith('.sock'),
  });
  const other = await startManager(anew.host, { args: UPLINK_ARGS });
  let difference: readonly string[] = [];
  await until('both hosts are alike', async () => {
    const [here, there] = await Promise.all([comparable(walked.host), comparable(anew.host)]);
    const unsettled = [...here, ...there].filter((line) => line.includes('"tentative":true'));
    difference = [...listingDifference(there, here), ...unsettled];
    return difference.length === 0;
  }).catch(() => undefined);
  await other.stop();
  return difference;
}

labTest(
  `after each of ${STEPS} random steps (seed ${SEED}) the host is as one made from nothing`,
  async () => {
    const roll = dice(SEED);
    const taken: string[] = [];
    for (let n = 0; n < STEPS; n++) {
      taken.push(await step(roll));
      expect({ taken, difference: await differenceFromNew() }).toEqual({ taken, difference: [] });
    }
  },
  labMissing(),
  seconds(60 + 15 * STEPS),
);
