import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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

/** Paths of the packages of all programs. */
let packages: readonly string[] = [];
beforeAll(() => {
  packages = packaged();
}, 60_000);

const packageOf = (app: string): string =>
  packages.find((path) => path.includes(`/${app}_`)) ?? `no package of ${app}`;

let tree = '';
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'unpacked-'));
});
afterEach(() => {
  rmSync(tree, { recursive: true });
});

test('one package for each program, of the same name', () => {
  const names = packages.map((path) => run('dpkg-deb', '--field', path, 'Package').trim());
  expect(names.sort()).toEqual(readdirSync(join(ROOT, 'apps')).sort());
});

test('a service alone, for an image that needs no other', () => {
  const path = packageOf('ndproxy');
  expect(run('dpkg-deb', '--field', path, 'Depends').trim()).toBe('nodejs (>= 20.19)');
  run('dpkg-deb', '--extract', path, tree);
  const program = join(tree, 'usr/sbin/ndproxy');
  expect((statSync(program).mode & 0o777).toString(8)).toBe('755');
  expect(run(program, '--version').trim()).toBe(run('dpkg-deb', '--field', path, 'Version').trim());
  expect(existsSync(join(tree, 'usr/share/doc/ndproxy/copyright'))).toBe(true);
});

test('a package has the manual page of its program and its completion for bash', () => {
  const sections = { ndproxy: 8, patchpanelctl: 1 };
  for (const [app, section] of Object.entries(sections)) {
    run('dpkg-deb', '--extract', packageOf(app), tree);
    const page = run('gzip', '-dc', join(tree, `usr/share/man/man${section}/${app}.${section}.gz`));
    expect(page).toMatch(
      new RegExp(`^\\.TH ${app.toUpperCase()} ${section} "\\d{4}-\\d\\d-\\d\\d" "patchpanel 0`),
    );
    const completion = readFileSync(join(tree, 'usr/share/bash-completion/completions', app), 'utf8');
    expect(completion).toContain(`complete -F _${app} ${app}\n`);
  }
});

test("the manager's package has its bus policy, and a unit that starts what is in it", () => {
  const path = packageOf('patchpanel-manager');
  run('dpkg-deb', '--extract', path, tree);
  expect(readdirSync(join(tree, 'usr/share/dbus-1/system.d'))).toEqual(['org.chromium.PatchPanel.conf']);
  const unit = readFileSync(join(tree, 'lib/systemd/system/patchpanel-manager.service'), 'utf8');
  const [, command = ''] = /^ExecStart=(\S+) /m.exec(unit) ?? [];
  expect(existsSync(join(tree, command))).toBe(true);
  expect(unit).toContain('--helpers none --on-exit keep');
});

test("the manager's package keeps systemd-networkd and NetworkManager from guests' links", () => {
  run('dpkg-deb', '--extract', packageOf('patchpanel-manager'), tree);
  const networkd = readFileSync(join(tree, 'usr/lib/systemd/network/05-patchpanel.network'), 'utf8');
  expect(networkd).toContain('Name=vmtap* arc*\n');
  const conf = readFileSync(join(tree, 'usr/lib/NetworkManager/conf.d/90-patchpanel.conf'), 'utf8');
  const section = conf
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
  expect(section).toBe(
    '[device-patchpanel]\nmatch-device=interface-name:vmtap*;interface-name:arc*\nmanaged=0\n', // adds to what others say of theirs
  );
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
    const path = packageOf(app);
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

test('the same sources make the same bytes, at any time and under any umask', () => {
  const times = (epoch: string): string => {
    const packed = `umask 077; SOURCE_DATE_EPOCH=${epoch} exec node_modules/.bin/tsx tools/package.ts mcastfwd`;
    const path = run('sh', '-c', packed).trim();
    return run('sh', '-c', `sha256sum < ${path}; TZ=UTC dpkg-deb --contents ${path}`);
  };
  const first = times('1000000000');
  expect(times('1000000000')).toBe(first);
  const files = first.trim().split('\n').slice(1);
  expect(files.filter((line) => !line.includes(' 2001-09-09 01:46 '))).toEqual([]);
  expect(files.filter((line) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root\/root /.test(line))).toEqual([]);
});

test('a package names the licence of all that is bundled', () => {
  const path = packageOf('counters');
  run('dpkg-deb', '--extract', path, tree);
  const licences = readFileSync(join(tree, 'usr/share/doc/counters/copyright'), 'utf8').split('\n\n----\n\n');
  expect(licences[0]).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim());
  for (const name of ['commander', 'ioredis', 'ipaddr.js', 'pino'])
    expect(licences.filter((text) => text.startsWith(`${name} `))).toHaveLength(1);
});

describe('where systemd runs', () => {
  /** What a script of the package asks systemctl for, with a /run of its own that has `files`. */
  function asked(app: string, script: string, files: Readonly<Record<string, string>> = {}): string[] {
    const path = packageOf(app);
    run('dpkg-deb', '--control', path, tree);
    const fake = `#!/bin/sh\necho "$*" >> ${tree}/asked; case $1 in restart) cat /run/systemd/system/*/*.conf >> ${tree}/asked ;; esac\n`;
    writeFileSync(join(tree, 'systemctl'), fake, { mode: 0o755 });
    writeFileSync(join(tree, 'systemd-sysusers'), '#!/bin/sh\n', { mode: 0o755 });
    const made = Object.entries(files).map(
      ([file, text]) => `mkdir -p $(dirname ${file}); printf '${text}' > ${file}`,
    );
    const world = ['mount -t tmpfs tmpfs /run', 'mkdir -p /run/systemd/system', ...made];
    run('unshare', '-rm', 'sh', '-ec', [...world, `PATH=${tree}:$PATH ${tree}/${script}`].join('\n'));
    return readFileSync(join(tree, 'asked'), 'utf8').trim().split('\n');
  }
  const missing = spawnSync('unshare', ['-rm', 'true']).status === 0 ? undefined : 'unshare -rm';
  const row = missing === undefined ? test : test.skip;
  const suffix = missing === undefined ? '' : ` (needs ${missing})`;

  row(`an installation starts nothing${suffix}`, () => {
    expect(asked('ndproxy', 'postinst configure')).toEqual(['reload dbus', 'daemon-reload']);
  });
  row(`an upgrade restarts what runs${suffix}`, () => {
    expect(asked('ndproxy', 'postinst configure 0.0.9')).toContain('try-restart ndproxy.service');
  });
  row.each(['patchpanel-manager', ...HELPERS])(
    `a removal leaves the directories of %s, a purge takes them, and no other's${suffix}`,
    (app) => {
      run('dpkg-deb', '--control', packageOf(app), tree);
      const isManager = app === 'patchpanel-manager';
      const own = isManager ? '/run/patchpanel' : `/run/patchpanel/${app}`;
      const left = (script: string): string[] =>
        run(
          'unshare',
          ...['-rm', 'sh', '-ec'],
          `mount -t tmpfs tmpfs /var/lib; mount -t tmpfs tmpfs /run
          mkdir -p ${own} /run/patchpanel/other /var/lib/patchpanel
          touch ${own}/a.sock /run/patchpanel/other/b.sock /var/lib/patchpanel/traffic
          ${tree}/${script}
          find /run/patchpanel /var/lib -type f
          rm -r /run/patchpanel/other
          mkdir -p ${own}
          ${tree}/${script}
          find /run -maxdepth 1 -name patchpanel`,
        )
          .trim()
          .split('\n')
          .sort();
      const others = ['/run/patchpanel/other/b.sock'];
      const history = ['/var/lib/patchpanel/traffic'];
      expect(left('postrm remove')).toEqual(
        [`${own}/a.sock`, ...others, ...history, '/run/patchpanel'].sort(),
      );
      expect(left('postrm purge')).toEqual([...others, ...(app === 'counters' ? [] : history)]);
    },
  );
  row(`a removal stops and disables${suffix}`, () => {
    expect(asked('ndproxy', 'prerm remove')).toEqual(['disable --now ndproxy.service']);
  });
  row(`a manager with guests ends without a trace${suffix}`, () => {
    const state = { '/run/patchpanel/journal': 'guests' };
    expect(asked('patchpanel-manager', 'prerm remove', state)).toEqual([
      'daemon-reload',
      'restart patchpanel-manager.service',
      '[Service]',
      'ExecStart=',
      'ExecStart=/usr/sbin/patchpanel-manager --helpers none --on-exit clean',
      'stop patchpanel-manager.service',
      'disable --now patchpanel-manager.service',
    ]);
  });
  row(`a manager without guests is stopped only${suffix}`, () => {
    const state = { '/run/patchpanel/journal': '' };
    expect(asked('patchpanel-manager', 'prerm remove', state)).toEqual([
      'disable --now patchpanel-manager.service',
    ]);
  });
});

test.each(['patchpanel-manager', ...HELPERS])(
  '%s is started again however long the bus is away, but not after a mistake on its command line, nor where it has no work',
  (app) => {
    const unit = readFileSync(join(ROOT, 'apps', app, 'systemd', `${app}.service`), 'utf8');
    const [before = '', service = ''] = unit.split('[Service]');
    expect(before.split('\n')).toContain('StartLimitIntervalSec=0'); // else five starts in 10 s are the last ones
    const isFinal = `RestartPreventExitStatus=${app === 'ndproxy' ? '2 8' : '2'}`;
    expect(service.split('\n')).toEqual(expect.arrayContaining(['RestartSec=1s', isFinal]));
  },
);

test('an unknown program is refused', () => {
  expect(() => packaged('ndprox')).toThrow(/'ndprox' is no program; write one of patchpanel-manager, /);
});
