import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const packaged = (...apps: string[]): string[] =>
  run(join(ROOT, 'node_modules/.bin/tsx'), 'tools/package.ts', ...apps)
    .trim()
    .split('\n');

let tree = '';
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'unpacked-'));
});
afterEach(() => {
  rmSync(tree, { recursive: true });
});

test('one package for each program, of the same name', () => {
  const names = packaged().map((path) => run('dpkg-deb', '--field', path, 'Package').trim());
  expect(names.sort()).toEqual(readdirSync(join(ROOT, 'apps')).sort());
});

test('a service alone, for an image that needs no other', () => {
  const [path = ''] = packaged('ndproxy');
  expect(run('dpkg-deb', '--field', path, 'Depends').trim()).toBe('nodejs (>= 20.19)');
  run('dpkg-deb', '--extract', path, tree);
  const program = join(tree, 'usr/sbin/ndproxy');
  expect((statSync(program).mode & 0o777).toString(8)).toBe('755');
  expect(run(program, '--version').trim()).toBe(run('dpkg-deb', '--field', path, 'Version').trim());
  expect(existsSync(join(tree, 'usr/share/doc/ndproxy/copyright'))).toBe(true);
});

test("the manager's package has its bus policy, and a unit that starts what is in it", () => {
  const [path = ''] = packaged('patchpanel-manager');
  run('dpkg-deb', '--extract', path, tree);
  expect(readdirSync(join(tree, 'usr/share/dbus-1/system.d'))).toEqual(['org.chromium.PatchPanel.conf']);
  const unit = readFileSync(join(tree, 'lib/systemd/system/patchpanel-manager.service'), 'utf8');
  const [, command = ''] = /^ExecStart=(\S+) /m.exec(unit) ?? [];
  expect(existsSync(join(tree, command))).toBe(true);
  expect(unit).toContain('--helpers none --on-exit keep');
});

const sysusersMissing =
  spawnSync('systemd-sysusers', ['--version']).error === undefined ? undefined : 'systemd-sysusers';

/** The helpers, and the bus policies that let them own a name or call the manager. */
const HELPERS = ['ndproxy', 'mcastfwd', 'bcast-fwd', 'adb-proxy', 'counters'];
const POLICIES = [
  'patchpanel-manager/dbus/org.chromium.PatchPanel.conf',
  'counters/dbus/org.chromium.PatchPanel.Counters.conf',
  'ndproxy/dbus/org.chromium.Portier.conf',
];

(sysusersMissing === undefined ? test.each(HELPERS) : test.skip.each(HELPERS))(
  `%s makes the user that its unit and the bus policies name${sysusersMissing === undefined ? '' : ` (needs ${sysusersMissing})`}`,
  (app) => {
    const [path = ''] = packaged(app);
    run('dpkg-deb', '--raw-extract', path, tree);
    const unit = readFileSync(join(tree, `lib/systemd/system/${app}.service`), 'utf8');
    const [, user = ''] = /^User=(.+)$/m.exec(unit) ?? [];
    for (const policy of POLICIES)
      expect(readFileSync(join(ROOT, 'apps', policy), 'utf8')).toContain(`<policy user="${user}">`);
    mkdirSync(join(tree, 'etc'));
    run('systemd-sysusers', `--root=${tree}`, `${app}.conf`); // as its postinst does on the host
    expect(readFileSync(join(tree, 'DEBIAN/postinst'), 'utf8')).toContain(`systemd-sysusers ${app}.conf`);
    expect(readFileSync(join(tree, 'etc/passwd'), 'utf8')).toMatch(
      new RegExp(`^${user}:x:\\d+:\\d+:.*:/usr/sbin/nologin$`, 'm'),
    );
  },
);

test('an unknown program is refused', () => {
  expect(() => packaged('ndprox')).toThrow(/'ndprox' is no program; write one of patchpanel-manager, /);
});
