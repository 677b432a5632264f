import {
  ApiClient,
  labMissing,
  labTest,
  STANDARD,
  standardLab,
  startManager,
  startTermina,
  until,
  type Manager,
  type StandardLab,
} from '@pp/lab';
import { broadcast, Ear, isAnswered, relayStatus, startPong, startRelay } from './bcast-rig';

const HELPERS = ['--uplink', 'eth0=ethernet', '--helpers', 'none'];

let lab: StandardLab;
let manager: Manager;
let client: ApiClient;

if (labMissing() === undefined) {
  beforeAll(async () => {
    lab = await standardLab();
    manager = await startManager(lab.host, { args: HELPERS });
    client = await ApiClient.open(lab.bus.outside);
  }, 60_000);
  afterAll(async () => {
    await lab.close();
    client.close();
  }, 60_000);
}

labTest(
  'it relays for the guests that the manager names, through kill -9 of the manager, and no longer than they live',
  async () => {
    const relay = await startRelay(lab.host, [], { env: { DBUS_SYSTEM_BUS_ADDRESS: lab.bus.inside } });
    const relayed = async (): Promise<string> =>
      (await relayStatus(lab.host)).interfaces.map(({ ifname, state }) => `${ifname} ${state}`).join(', ');
    expect(await relayed()).toBe('');
    const vm = await startTermina({ lab, client }, 5);
    await until('the relay to serve', async () => (await relayed()) === `eth0 relayed, ${vm.link} relayed`);
    expect((await relayStatus(lab.host)).follows).toBe('the manager');
    const [atLan, atVm] = [await Ear.at(lab.lanhost), await Ear.at(vm.guest)];

    await broadcast(lab.lanhost, { text: 'to the VM' });
    expect(await atVm.hears('to the VM')).toBe(
      `${STANDARD.lanhost.v4}.5000 > 255.255.255.255.6969 [udp sum ok]`,
    );
    await broadcast(vm.guest, { text: 'from the VM' });
    expect(await atLan.hears('from the VM')).toBe(
      `${STANDARD.host.v4}.5000 > 255.255.255.255.6969 [udp sum ok]`,
    );

    const server = startPong(lab.lanhost);
    await until('the VM to be answered', () => isAnswered(vm.guest));
    await server.stop();

    await manager.kill();
    await until('the relay to miss the manager', async () =>
      (await relayStatus(lab.host)).follows.includes('not there'),
    );
    await broadcast(lab.lanhost, { text: 'without a manager' });
    await atVm.hears('without a manager');

    manager = await startManager(lab.host, { args: HELPERS });
    await until(
      'the relay to follow again',
      async () => (await relayStatus(lab.host)).follows === 'the manager',
    );
    await vm.stop();
    await until('the relay to have let go', async () => (await relayed()) === '');
    expect((await relay.stop()).code).toBe(0);
  },
);
