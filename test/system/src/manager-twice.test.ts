import {
  ApiClient,
  hostListing,
  labForEach,
  labMissing,
  labTest,
  listingDifference,
  reaches,
  program,
  STANDARD,
  startManager,
  startTermina,
  STATE_INSIDE,
  tapMissing,
  until,
  type StandardLab,
} from '@pp/lab';

/** Two managers in a network namespace: each would take away what the other made. */

let lab: StandardLab;

labForEach((opened) => (lab = opened));

const OTHER_BUS = '/run/lab/other-bus';
const OTHER_STATE = '/run/lab/other-state';

async function startOtherBus(): Promise<void> {
  const options = ['--session', '--nofork', '--nopidfile', `--address=unix:path=${OTHER_BUS}`];
  const bus = lab.host.spawn('dbus-daemon', [...options, '--print-address']);
  await bus.line('address', (line) => line.includes('unix:path=') || undefined);
}

labTest(
  'a second one is refused in one line, whatever it has in common with the first, and touches nothing',
  async () => {
    await startOtherBus();
    const manager = await startManager(lab.host);
    const client = await ApiClient.open(lab.bus.outside);
    const { guest } = await startTermina({ lab, client }, 5);
    expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);
    const isSettled = async (): Promise<boolean> =>
      (await lab.host.ok('ip', ['addr', 'show', 'tentative'])) === '';
    await until('no address is checked any more', isSettled);
    const before = await hostListing(lab.host);
    const second = async (stateDir: string, bus: string): Promise<string> => {
      const args = ['--helpers', 'none', '--uplink', 'eth0=ethernet', '--state-dir', stateDir];
      const env = { DBUS_SYSTEM_BUS_ADDRESS: bus };
      const { code, stderr } = await lab.host.run(program('patchpanel-manager'), args, { env });
      expect([code, stderr.split('\n').length]).toEqual([1, 2]);
      return stderr;
    };
    const otherBus = `unix:path=${OTHER_BUS}`;
    expect(await second(STATE_INSIDE, lab.bus.inside)).toContain(
      'already running: another process answers at',
    );
    expect(await second(STATE_INSIDE, otherBus)).toContain('already running: another process answers at');
    expect(await second(OTHER_STATE, lab.bus.inside)).toContain('another manager runs on this bus');
    expect(await second(OTHER_STATE, otherBus)).toBe(
      `patchpanel-manager: another patchpanel-manager, pid ${manager.pid}, serves this network namespace; its guests would lose their links: stop it first\n`,
    );
    expect(listingDifference(before, await hostListing(lab.host))).toEqual([]);
    expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);
    await manager.kill();
    await (await startManager(lab.host)).stop(); // the next one is no second one
    client.close();
  },
  labMissing() ?? tapMissing(),
);
