import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { seconds } from '@pp/base';
import {
  ApiClient,
  labMissing,
  labTest,
  program,
  repository,
  STANDARD,
  standardLab,
  startTermina,
  STATE_INSIDE,
  tapMissing,
  until,
  type Child,
  type RunningGuest,
  type StandardLab,
} from '@pp/lab';

/*
 * Each service with no more than its systemd unit leaves it: the unit's capabilities, no new privileges, and where ProtectSystem=strict
 * stands all but the state directory and /tmp read-only. Filters of system calls and address families need a running systemd.
 */

const HELPERS = ['ndproxy', 'mcastfwd', 'bcast-fwd', 'adb-proxy', 'counters'] as const;

/** What the status of a helper speaks of when it is at work. */
const SIGHTS: Readonly<Record<string, (vm: RunningGuest) => string>> = {
  ndproxy: ({ link }) => `"${link}"`,
  mcastfwd: ({ link }) => `"${link}"`,
  'bcast-fwd': ({ link }) => `"${link}"`,
  counters: () => '"eth0"',
  'adb-proxy': () => '"manager"',
};

const unitOf = (app: string): string =>
  readFileSync(repository('apps', app, 'systemd', `${app}.service`), 'utf8');

/** The capabilities of the unit, as setpriv(1) writes them. */
function boundingSet(unit: string): string {
  const [, names = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(unit) ?? [];
  const kept = names.split(' ').filter((name) => name !== '');
  return ['-all', ...kept.map((name) => name.toLowerCase().replace(/^cap_/, '+'))].join();
}

/** Where the programs are for a service whose /tmp is its own: this checkout may lie below it. */
const PROGRAMS = `${STATE_INSIDE}/bin`;

/** As ProtectSystem=strict and PrivateTmp=yes do; the state directory stays writable, as RuntimeDirectory= is. */
const READ_ONLY = `
  mount --rbind ${STATE_INSIDE} ${STATE_INSIDE}
  for at in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
    case $at in /dev*|/proc*|/sys*|${STATE_INSIDE}) ;; *) mount -o remount,bind,ro "$at" 2> /dev/null || : ;; esac # some are hidden below others
  done
  if test -w /etc || test -w /run || test -w /usr; then echo 'the file system is not read-only' >&2; exit 1; fi
  for at in /tmp /var/tmp; do mount -t tmpfs tmpfs $at; done`;

let lab: StandardLab;
let manager: Child;
let client: ApiClient;

if (labMissing() === undefined) {
  beforeAll(async () => {
    lab = await standardLab();
    await lab.host.shell(`mkdir -p ${PROGRAMS} && mount --bind ${dirname(program('ndproxy'))} ${PROGRAMS}`);
    manager = await startUnit('patchpanel-manager');
    client = await ApiClient.open(lab.bus.outside);
  }, 60_000);
  afterAll(async () => {
    client.close();
    await manager.stop();
    await lab.close();
  }, 60_000);
}

/** Starts the command of a unit, confined as the unit says. */
async function startUnit(app: string): Promise<Child> {
  const unit = unitOf(app);
  const [, words = ''] = new RegExp(`^ExecStart=/usr/sbin/${app}( .*)?$`, 'm').exec(unit) ?? [];
  const args = words.split(' ').filter((word) => word !== '');
  const privileges = ['--bounding-set', boundingSet(unit), '--inh-caps', '-all', '--no-new-privs'];
  const command = ['setpriv', ...privileges, join(PROGRAMS, app), ...args, '--state-dir', STATE_INSIDE];
  const readOnly = ['unshare', '--mount', 'sh', '-ec', `${READ_ONLY}\nexec "$@"`, 'sh'];
  const [first = '', ...rest] = unit.includes('ProtectSystem=strict') ? [...readOnly, ...command] : command;
  const child = lab.host.spawn(first, rest, { env: { DBUS_SYSTEM_BUS_ADDRESS: lab.bus.inside } });
  await child.line('log line "ready"', (line) => (/\bready\b/.test(line) ? true : undefined), seconds(20));
  return child;
}

const status = (app: string): Promise<string> =>
  lab.host.ok(program(app), ['status', '--json', '--state-dir', STATE_INSIDE]);

const verifierMissing =
  spawnSync('systemd-analyze', ['--version']).error === undefined ? undefined : 'systemd-analyze';

labTest(
  'systemd finds no fault in the units',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'units-'));
    try {
      const files = ['patchpanel-manager', ...HELPERS].map((app) => {
        const path = join(directory, `${app}.service`);
        writeFileSync(path, unitOf(app).replace(`/usr/sbin/${app}`, program(app)));
        return path;
      });
      const { status: code, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
        encoding: 'utf8',
      });
      expect([code, stderr]).toEqual([0, '']);
    } finally {
      rmSync(directory, { recursive: true });
    }
    return Promise.resolve();
  },
  verifierMissing,
);

labTest(
  'every service does its work with what its unit leaves it',
  async () => {
    const helpers = await Promise.all(HELPERS.map(startUnit));
    const vm = await startTermina({ lab, client }, 5);
    await vm.guest.ok('ping', ['-c', '1', STANDARD.internet.v4]);
    for (const [app, sight] of Object.entries(SIGHTS)) {
      await until(`${app} to see ${sight(vm)}`, async () => (await status(app)).includes(sight(vm)));
    }
    const { release } = await client.connect({ pid: -1 });
    release();
    for (const [i, helper] of helpers.entries()) {
      expect([HELPERS[i], (await helper.stop()).code]).toEqual([HELPERS[i], 0]);
      expect(`${helper.stdout}${helper.stderr}`).not.toMatch(/\b(warn|error|EPERM|EACCES|EROFS)\b/i);
    }
  },
  labMissing() ?? tapMissing(),
);
