import { seconds } from '@pp/base';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ApiClient,
  labMissing,
  labTest,
  lastSeen,
  type Manager,
  pings,
  program,
  reaches,
  repository,
  type RunningGuest,
  secondUidMissing,
  STANDARD,
  standardLab,
  type StandardLab,
  startManager,
  startTermina,
  STATE_INSIDE,
  tapMissing,
  until,
} from '@pp/lab';
import { FAULT_ROWS } from 'patchpanelctl/testing';

/*
 * `patchpanelctl doctor` on a host with a guest: it names nothing while all is well, and each fault of its own rows that can be made here,
 * while it lasts, and nothing else.
 */

interface Finding {
  readonly level: string;
  readonly name: string;
  readonly found: string;
  readonly advice?: string;
}

const missing = labMissing() ?? tapMissing();
let lab: StandardLab;
let manager: Manager;
let client: ApiClient;
let vm: RunningGuest;

beforeAll(async () => {
  if (missing !== undefined) return;
  lab = await standardLab();
  manager = await startManager(lab.host, { args: ['--uplink', 'eth0=ethernet', '--helpers', 'spawn'] });
  client = await ApiClient.open(lab.bus.outside);
  vm = await startTermina({ lab, client }, 5);
  const deadline = seconds(50);
  await until('all helpers answer', async () => (await faults()).length === 0, { deadline }).catch(
    () => undefined,
  );
}, 90_000);

afterAll(async () => {
  if (missing !== undefined) return;
  await lab.close();
  client.close();
}, 60_000);

const COMMAND = ['doctor', '--json', '--state-dir', STATE_INSIDE];

async function ask(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly faults: readonly Finding[] }> {
  const { code, stdout } = await lab.host.run(command, args, { env });
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Finding[] };
  return { code, faults: checks.filter(({ level }) => level !== 'ok') };
}

/** All that is not ok. The exit code must fit it. */
async function faults(): Promise<readonly Finding[]> {
  const answer = await ask(program('patchpanelctl'), COMMAND);
  expect(answer.code).toBe(answer.faults.some(({ level }) => level === 'problem') ? 1 : 0);
  return answer.faults;
}

/** The manager hears of some faults a moment later. */
async function comesTo(want: readonly Finding[]): Promise<void> {
  const isSo = (found: readonly Finding[]): boolean => JSON.stringify(found) === JSON.stringify(want);
  const found = await lastSeen(`the doctor to find ${want.length} faults`, faults, isSo);
  expect(found).toEqual(want);
}

labTest(
  'a healthy host has no fault, and looking changes nothing',
  async () => {
    const listing = (): Promise<string> =>
      lab.host.shell(
        'ip -br link | cut -d @ -f 1; ip -4 route show table all; ip rule; nft -s list tables; ls /run/netns /run/lab/state; sysctl -a -r ^net[.]ipv4',
      );
    const before = await listing();
    const { code, stdout } = await lab.host.run(program('patchpanelctl'), [
      'doctor',
      '--state-dir',
      STATE_INSIDE,
    ]);
    expect([code, stdout.split('\n').filter((line) => !line.startsWith('ok '))]).toEqual([0, ['']]);
    expect(stdout).toContain('ok kernel: links, rules, sets and routes of guests can be made\n');
    expect(await listing()).toBe(before);
  },
  missing,
);

for (const { name, want, lab: made } of FAULT_ROWS) {
  if (made === undefined) continue;
  const { comes, goes, needs } = made;
  labTest(
    `${name}: found while it lasts`,
    async () => {
      await lab.host.shell(comes);
      await comesTo(want);
      await lab.host.shell(goes);
      await comesTo([]);
    },
    missing ?? (needs === undefined || existsSync(needs) ? undefined : needs),
  );
}

labTest(
  'what it advises against a firewall that drops lets the guest out again',
  async () => {
    expect(await reaches(vm.guest, STANDARD.internet.v4)).toBe(true);
    await lab.host.shell(`nft add table ip mine
      nft 'add chain ip mine forward { type filter hook forward priority 0; policy drop; }'`);
    expect(await pings(vm.guest, STANDARD.internet.v4)).toBe(false);
    const [fault] = await faults();
    const [, commands = ''] = /^let guests through: (.*)$/.exec(fault?.advice ?? '') ?? [];
    await lab.host.shell(commands);
    expect(await reaches(vm.guest, STANDARD.internet.v4)).toBe(true);
    expect(await faults()).toEqual([]);
    await lab.host.shell('nft delete table ip mine');
  },
  missing,
);

labTest(
  'an ordinary user is told what cannot be seen',
  async () => {
    const as = ['--reuid', '65534', '--clear-groups', program('patchpanelctl'), ...COMMAND];
    const { faults: found } = await ask('setpriv', as);
    expect(found.map(({ level, name }) => [level, name])).toEqual(
      expect.arrayContaining([
        ['warning', 'privileges'],
        ['warning', 'kernel'],
        ['warning', 'firewall'],
      ]),
    );
    expect(found.filter(({ level }) => level === 'problem')).toEqual([]);
  },
  missing ?? secondUidMissing(),
);

labTest(
  'a bus that is not there',
  async () => {
    const env = { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent/bus' };
    const { code, faults: found } = await ask(program('patchpanelctl'), COMMAND, env);
    expect([code, found.map(({ level, name }) => [level, name])]).toEqual([1, [['problem', 'bus']]]);
  },
  missing,
);

labTest(
  'a manager that does not run, first without its bus policy, then with it',
  async () => {
    await manager.stop();
    const nameless = await faults();
    expect(nameless.map(({ level, name }) => [level, name])).toEqual([
      ['problem', 'policy'],
      ['problem', 'manager'],
    ]);
    const policy = readFileSync(
      repository('apps/patchpanel-manager/dbus/org.chromium.PatchPanel.conf'),
      'utf8',
    );
    await lab.host.shell('mount -t tmpfs tmpfs /usr/share/dbus-1/system.d');
    writeFileSync(join(lab.host.shared, 'policy.conf'), policy);
    await lab.host.shell('cp /run/lab/policy.conf /usr/share/dbus-1/system.d/org.chromium.PatchPanel.conf');
    expect((await faults()).map(({ name }) => name)).toEqual(['manager']);
  },
  missing,
);
