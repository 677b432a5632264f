import { seconds } from '@pp/base';
import {
  ApiClient,
  labMissing,
  labTest,
  standardLab,
  startManager,
  type Manager,
  type StandardLab,
} from '@pp/lab';
import { UPLINK_ARGS } from './guest-rig';
import { allowed, dice } from './dice';
import { Twin } from './twin';

/*
 * A seeded walk over foreign flushes of rulesets, routes and rules, foreign edits of our table, guests that come and go, uplinks and default routes that change, port
 * rules, lockdown and kills of the manager. After each step the host must look as one on which the same was made from nothing.
 *
 *   STEPS=300 SEED=7 npx jest survival-walk
 */

const STEPS = Number(process.env['STEPS'] ?? 30);
const SEED = Number(process.env['SEED'] ?? 20_260_101);
const METRICS = [50, 150, 250];

let walked: StandardLab;
let twin: Twin;
let manager: Manager;
let client: ApiClient;
let hasWifi = false;

beforeAll(async () => {
  if (labMissing() !== undefined) return;
  walked = await standardLab({ secondUplink: true });
  twin = await Twin.of(walked, []);
  manager = await startManager(walked.host, { args: UPLINK_ARGS });
  client = await ApiClient.open(walked.bus.outside);
}, 60_000);

afterAll(async () => {
  if (labMissing() !== undefined) return;
  await walked.close();
  await twin.close();
  client.close();
}, 60_000);

type Roll = (sides: number) => number;

const STEPS_OF: readonly (readonly [string, (roll: Roll) => Promise<unknown>])[] = [
  ['flush ruleset', () => walked.host.shell('nft flush ruleset')],
  ['flush ruleset', () => walked.host.shell('nft flush ruleset')],
  ['empty a chain', () => walked.host.shell('nft flush chain inet patchpanel guard')],
  ['empty a set', () => walked.host.shell('nft flush set inet patchpanel guests')],
  ['add to our table', () => walked.host.shell('nft add chain inet patchpanel evil')],
  ['delete rules', () => walked.host.shell('ip rule del pref 1010; ip -6 rule del pref 1000')],
  ['flush routes', () => walked.host.shell('ip route flush proto 80; ip -6 route flush proto 80')],
  ['delete an address', deleteAddress],
  ['start termina', (roll) => client.ask('TerminaVmStartup', { cid: 1 + roll(4) })],
  ['start termina', (roll) => client.ask('TerminaVmStartup', { cid: 1 + roll(4) })],
  ['stop termina', (roll) => client.ask('TerminaVmShutdown', { cid: 1 + roll(4) })],
  [
    'start plugin',
    (roll) => client.ask('PluginVmStartup', { id: BigInt(1 + roll(4)), subnetIndex: roll(5) }),
  ],
  ['stop plugin', (roll) => client.ask('PluginVmShutdown', { id: BigInt(1 + roll(4)) })],
  ['start arcvm', () => client.ask('ArcVmStartup', { cid: 3 })],
  ['stop arcvm', () => client.ask('ArcVmShutdown', { cid: 3 })],
  ['toggle wlan0', toggleWifi],
  ['another default route', anotherDefault],
  ['open or close a port', portRule],
  ['lockdown', (roll) => client.ask('SetVpnLockdown', { enableVpnLockdown: roll(2) === 0 })],
  ['kill -9 and start', killAndStart],
];

async function deleteAddress(): Promise<void> {
  const { host } = walked;
  await host.run('sh', [
    '-c',
    'ip addr flush dev $(ls /sys/class/net | grep vmtap | head -1) to 100.115.92.0/23',
  ]);
}

async function killAndStart(): Promise<void> {
  await manager.kill();
  manager = await startManager(walked.host, { args: UPLINK_ARGS });
}

/** The same change of the host's own network in both labs. */
async function onBoth(script: string): Promise<void> {
  await Promise.all([walked.host.shell(script), twin.lab.host.shell(script)]);
}

/** The same numbers of interfaces in both labs: they are in marks and tables. */
async function toggleWifi(): Promise<void> {
  await onBoth(
    hasWifi
      ? 'ip link del wlan0'
      : `ip link add wlan0 index 500 address 02:50:50:00:99:02 type veth peer name air index 501 address 02:50:50:00:99:01
         ip addr add 192.168.99.2/24 dev wlan0
         ip link set air up
         ip link set wlan0 up
         ip route add default via 192.168.99.1 dev wlan0 metric 600`,
  );
  hasWifi = !hasWifi;
}

/** eth1 holds the best one, or not. */
async function anotherDefault(roll: Roll): Promise<void> {
  await onBoth(`ip route del default dev eth1
    ip route add default via 192.168.88.1 dev eth1 metric ${METRICS[roll(METRICS.length)] ?? 50}`);
}

function portRule(roll: Roll): Promise<unknown> {
  return client.ask('ModifyPortRule', {
    op: 1 + roll(2),
    type: 1,
    proto: 1 + roll(2),
    inputIfname: '',
    inputDstPort: 8000 + roll(3),
  });
}

labTest(
  `after each of ${STEPS} random losses and changes (seed ${SEED}) the host is as one made from nothing`,
  async () => {
    const roll = dice(SEED);
    const taken: string[] = [];
    for (let n = 0; n < STEPS; n++) {
      const [what, act] = STEPS_OF[roll(STEPS_OF.length)] ?? ['nothing', () => Promise.resolve()];
      taken.push(`${what}: ${await allowed(act(roll))}`);
      expect({ taken, difference: await twin.difference() }).toEqual({ taken, difference: [] });
    }
  },
  labMissing(),
  seconds(60 + 15 * STEPS),
);
