import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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

test('an unknown program is refused', () => {
  expect(() => packaged('ndprox')).toThrow(/'ndprox' is no program; write one of patchpanel-manager, /);
});
