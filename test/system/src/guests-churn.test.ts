import { labTest, type Guest } from '@pp/lab';
import { GuestRig } from './guest-rig';

/** Guests that come and go leave nothing, however many there were. Memory over 10,000 of them: `npm run bench -- --only guests-endurance`. */

const ROUNDS = Number(process.env['ROUNDS'] ?? 12);
const TERMINA = [1, 2, 3, 4];
const PLUGIN = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
const NAMESPACES = [1, 2, 3, 4];

let rig: GuestRig;
let android: Guest;

beforeAll(async () => {
  rig = await GuestRig.open();
  android = await rig.lab.guest('android');
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

/** ARC is a VM in one round and a container in the next. */
const arc = (round: number): { start: () => Promise<unknown>; stop: () => Promise<unknown> } =>
  round % 2 === 0
    ? {
        start: () => rig.client.ask('ArcVmStartup', { cid: 9 }),
        stop: () => rig.client.ask('ArcVmShutdown', { cid: 9 }),
      }
    : {
        start: () => rig.client.ask('ArcStartup', { pid: android.pid }),
        stop: () => rig.client.ask('ArcShutdown', { pid: android.pid }),
      };

async function comeAndGo(round: number): Promise<void> {
  const ask = rig.client.ask.bind(rig.client);
  const [held] = await Promise.all([
    Promise.all(NAMESPACES.map(() => rig.client.connect({ pid: -1 }))),
    ...TERMINA.map((cid) => ask('TerminaVmStartup', { cid })),
    ...PLUGIN.map((id) => ask('PluginVmStartup', { id })),
    arc(round).start(),
  ]);
  for (const { release } of held) release();
  await Promise.all([
    ...TERMINA.map((cid) => ask('TerminaVmShutdown', { cid })),
    ...PLUGIN.map((id) => ask('PluginVmShutdown', { id })),
    arc(round).stop(),
  ]);
}

const PER_ROUND = TERMINA.length + PLUGIN.length + NAMESPACES.length + 1;

labTest(
  `${ROUNDS * PER_ROUND} guests of all kinds come and go, and no link, rule, element or descriptor stays`,
  async () => {
    await comeAndGo(0);
    await comeAndGo(1);
    await rig.expectUnchanged();
    await rig.rememberIdle();
    for (let round = 0; round < ROUNDS; round++) await comeAndGo(round);
    await rig.expectIdle();
    expect(rig.manager.process.output()).not.toMatch(/"level":"(warn|error)"/); // "datapath.repaired" for one
    expect(await android.json('ip', '-j', 'link', 'show')).toHaveLength(1); // lo
  },
);
