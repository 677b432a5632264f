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
  secondUidMissing,
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
 * Each service with no more than its systemd unit leaves it: the unit's user and capabilities, no new privileges, and where
 * ProtectSystem=strict stands all but its own directories and /tmp read-only. Filters of system calls and address families need a running systemd.
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

/** As ProtectSystem=strict and PrivateTmp=yes do; a service's own directory stays writable, as RuntimeDirectory= is. */
const readOnlyBut = (own: string): string => `
  mount --rbind ${own} ${own}
  for at in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
    case $at in /dev*|/proc*|/sys*|${own}) ;; *) mount -o remount,bind,ro "$at" 2> /dev/null || : ;; esac # some are hidden below others
  done
  if test -w /etc || test -w ${STATE_INSIDE} || test -w /usr; then echo 'the file system is not read-only' >&2; exit 1; fi
  for at in /tmp /var/tmp; do mount -t tmpfs tmpfs $at; done`;

let lab: StandardLab;
let client: ApiClient;

if ((labMissing() ?? secondUidMissing()) === undefined) {
  beforeAll(async () => {
    lab = await standardLab();
    await lab.host.shell(`mkdir -p ${PROGRAMS} && mount --bind ${dirname(program('ndproxy'))} ${PROGRAMS}`);
    await addUser();
    await startUnit('patchpanel-manager');
    client = await ApiClient.open(lab.bus.outside);
  }, 60_000);
  afterAll(async () => {
    await lab.close();
    client.close();
  }, 60_000);
}

/** Of the helpers' user; on the lab's host alone. */
const UID = '30100';

/** The user that the packages make; the bus reads its policies again, and finds it. */
async function addUser(): Promise<void> {
  const line = `patchpanel-fwd:x:${UID}:65534::/nonexistent:/usr/sbin/nologin\n`;
  writeFileSync(join(lab.host.shared, 'passwd'), readFileSync('/etc/passwd', 'utf8') + line);
  await lab.host.shell(`mount --bind /run/lab/passwd /etc/passwd
    dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig`);
}

/** The command of a unit, with the lab's directories in the place of the host's. */
function commandOf(app: string): readonly string[] {
  const [, words = ''] = new RegExp(`^ExecStart=/usr/sbin/${app}( .*)?$`, 'm').exec(unitOf(app)) ?? [];
  const args = words.split(' ').filter((word) => word !== '');
  const inLab = args.map((word) =>
    word
      .replace('/run/patchpanel', STATE_INSIDE)
      .replace('/var/lib/patchpanel', `${STATE_INSIDE}/${app}/history`),
  );
  return args.includes('--state-dir') ? inLab : [...inLab, '--state-dir', STATE_INSIDE];
}

/** Starts the command of a unit, confined as the unit says. */
async function startUnit(app: string): Promise<Child> {
  const unit = unitOf(app);
  const isUser = /^User=patchpanel-fwd$/m.test(unit);
  const kept = boundingSet(unit);
  const user = isUser
    ? ['--reuid', UID, '--regid', '65534', '--clear-groups', '--inh-caps', kept, '--ambient-caps', kept]
    : ['--inh-caps', '-all'];
  const privileges = [...user, '--bounding-set', kept, '--no-new-privs'];
  const command = ['setpriv', ...privileges, join(PROGRAMS, app), ...commandOf(app)];
  const own = `${STATE_INSIDE}/${app}`;
  if (isUser) await lab.host.shell(`mkdir -p ${own}/history; chown -R ${UID} ${own}`);
  const readOnly = ['unshare', '--mount', 'sh', '-ec', `${readOnlyBut(own)}\nexec "$@"`, 'sh'];
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
    for (const { pid } of helpers)
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:(\\t${UID}){4}$`, 'm'));
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
  labMissing() ?? tapMissing() ?? secondUidMissing(),
);
