import { seconds } from '@pp/base';
import {
  ApiClient,
  type Guest,
  type HeldNamespace,
  labMissing,
  labTest,
  type Manager,
  ServiceUnit,
  standardLab,
  type StandardLab,
  until,
} from '@pp/lab';
import { NetworkDeviceGuestType } from '@pp/proto';
import { UPLINK_ARGS } from './guest-rig';
import { Twin } from './twin';

/*
 * A seeded walk over starts and stops of guests of all kinds, an uplink that comes and goes, and kills of the manager, whose lifelines
 * are in systemd's store. After each step the host must look as if its guests had always been there: a second lab makes the same
 * journal true from nothing (twin.ts). Both hosts' listings, and those of the clients' and the container's namespaces, must then be
 * equal, but for numbers of interfaces and what the kernel makes of chance.
 *
 *   STEPS=500 SEED=7 npx jest guests-walk
 */

const STEPS = Number(process.env['STEPS'] ?? 30);
const SEED = Number(process.env['SEED'] ?? 20_260_101);

let walked: StandardLab;
let unit: ServiceUnit;
let twin: Twin;
let manager: Manager;
let client: ApiClient;
let clients: readonly Guest[];
let android: Guest;
let hasWifi = false;
let held: readonly HeldNamespace[] = [];

beforeAll(async () => {
  if (labMissing() !== undefined) return;
  walked = await standardLab({ secondUplink: true });
  clients = [await walked.guest('a'), await walked.guest('b')];
  android = await walked.guest('android');
  twin = await Twin.of(walked, [...clients, android]);
  unit = new ServiceUnit(walked.host);
  manager = await unit.start(UPLINK_ARGS);
  client = await ApiClient.open(walked.bus.outside);
}, 60_000);

afterAll(async () => {
  if (labMissing() !== undefined) return;
  await walked.close();
  await twin.close();
  client.close();
  unit.close();
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
  const [what, outcome] = await act(roll(18), id, roll);
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
      return ['start arc', await allowed(ask('ArcStartup', { pid: android.pid }))];
    case 10:
      return ['stop arc', await allowed(ask('ArcShutdown', { pid: android.pid }))];
    case 11:
      return [`connect client ${id % 2}`, await connect(clients[id % 2]?.pid ?? -1, roll)];
    case 12:
      return ['connect a new namespace', await connect(-1, roll)];
    case 13:
      return ['a client goes', await release(roll)];
    case 14:
      return ['kill -9, a client goes, start', await killAndStart(() => release(roll))];
    case 15:
    case 16:
      return [hasWifi ? 'wlan0 goes' : 'wlan0 comes', await toggleWifi()];
    default:
      return ['kill -9 and start', await killAndStart()];
  }
}

async function connect(pid: number, roll: (sides: number) => number): Promise<string> {
  const outboundPhysicalDevice = ['', 'eth0', 'eth1'][roll(3)] ?? '';
  const request = { pid, outboundPhysicalDevice, allowUserTraffic: roll(2) === 0, routeOnVpn: roll(2) === 0 };
  const call = client.connect(request).then((namespace) => {
    held = [...held, namespace];
  });
  return allowed(call);
}

/** Resolves when it is all over: the manager lets go of the lifeline last. */
async function release(roll: (sides: number) => number): Promise<string> {
  const leaving = held[roll(Math.max(1, held.length))];
  if (leaving === undefined) return 'there is none';
  held = held.filter((each) => each !== leaving);
  leaving.release();
  if (manager.process.isRunning) await until('it is released', () => unit.stored.length === held.length);
  return leaving.reply.netnsName;
}

async function killAndStart(
  meanwhile: () => Promise<string> = () => Promise.resolve('done'),
): Promise<string> {
  await manager.kill();
  const what = await meanwhile();
  manager = await unit.start(UPLINK_ARGS);
  expect(unit.stored).toHaveLength(held.length);
  return what;
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
  await Promise.all([walked.host.shell(script), twin.lab.host.shell(script)]);
  hasWifi = !hasWifi;
  await until('Android has followed', hasFollowed);
  return 'done';
}

/** A container's new device has a MAC of chance: the twin learns it from the journal, so it must be there when that is copied. */
async function hasFollowed(): Promise<boolean> {
  const { devices } = await client.ask('GetDevices', {});
  const ofContainer = devices.filter(({ guestType }) => guestType === NetworkDeviceGuestType.ARC);
  return ofContainer.length === 0 || ofContainer.some(({ physIfname }) => physIfname === 'wlan0') === hasWifi;
}

labTest(
  `after each of ${STEPS} random steps (seed ${SEED}) the host is as one made from nothing`,
  async () => {
    const roll = dice(SEED);
    const taken: string[] = [];
    for (let n = 0; n < STEPS; n++) {
      taken.push(await step(roll));
      expect({ taken, difference: await twin.difference() }).toEqual({ taken, difference: [] });
    }
  },
  labMissing(),
  seconds(60 + 15 * STEPS),
);
