import {
  ApiClient,
  hostListing,
  labForEach,
  labMissing,
  labTest,
  lastSeen,
  listingDifference,
  startManager,
  tapMissing,
  type Child,
  type StandardLab,
} from '@pp/lab';
import { join } from 'node:path';

/** A bus that is restarted, as an upgrade of it does: its clients are lost, and must say so and begin anew. */

let lab: StandardLab;

labForEach((opened) => (lab = opened));

const BUS = 'bus-to-be-killed';

async function startOwnBus(): Promise<Child> {
  const address = `unix:path=/run/lab/${BUS}`;
  const options = ['--session', '--nofork', '--nopidfile', `--address=${address}`, '--print-address'];
  const bus = lab.host.spawn('dbus-daemon', options);
  await bus.line('address', (line) => line.includes('unix:path=') || undefined);
  return bus;
}

labTest(
  'the manager ends with its bus, says so and leaves nothing; with a new bus it starts anew',
  async () => {
    const before = await hostListing(lab.host);
    const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=/run/lab/${BUS}` };
    for (let round = 0; round < 2; round++) {
      const bus = await startOwnBus();
      const manager = await startManager(lab.host, { env });
      const client = await ApiClient.open(`unix:path=${join(lab.host.shared, BUS)}`);
      await client.ask('TerminaVmStartup', { cid: 5 });
      bus.kill('SIGKILL');
      const { code, stderr } = await manager.process.exited;
      const faults = stderr.split('\n').filter((line) => line.includes('"level":"error"'));
      expect([code, faults]).toEqual([
        1,
        [
          expect.stringContaining(
            `the D-Bus system bus at ${env.DBUS_SYSTEM_BUS_ADDRESS} closed the connection`,
          ),
        ],
      ]);
      client.close();
      const difference = async () => listingDifference(before, await hostListing(lab.host));
      expect(await lastSeen('nothing is left', difference, ({ length }) => length === 0)).toEqual([]);
    }
  },
  labMissing() ?? tapMissing(),
);
