/**
 * `tsx tools/package.ts [APP...]` makes a Debian package of each program in dist/bin, or of those named: dist/packages/NAME_VERSION_ARCH.deb.
 * A package has the program, what lies in its app's folders dbus/ (bus policy), systemd/ (unit), networkd/ and NetworkManager/ (hands off),
 * and a manual page and a completion for bash that are made from its --help, and makes the user that the unit names; node comes from
 * elsewhere. The same sources make the same bytes: times in it are SOURCE_DATE_EPOCH, else that of the last commit.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { programPages } from './help/program-pages';
import { LEAVE_NOTHING, maintainerScripts } from './maintainer-scripts';

const ROOT = resolve(import.meta.dirname, '..');
const PACKAGES = join(ROOT, 'dist/packages');

interface AppFacts {
  /** One line, as `apt list` shows it. */
  readonly summary: string;
  readonly depends: readonly string[];
  readonly recommends?: readonly string[];
}

const NODE = 'nodejs (>= 20.19)';

/** Every program is a package of the same name. */
const APPS: Readonly<Record<string, AppFacts>> = {
  'patchpanel-manager': {
    summary: 'network control plane for containers and VMs of one host',
    depends: [NODE, 'nftables', 'default-dbus-system-bus | dbus-system-bus'],
    recommends: ['patchpanelctl', 'ndproxy', 'mcastfwd', 'bcast-fwd', 'adb-proxy', 'counters'],
  },
  patchpanelctl: { summary: 'command line of patchpanel', depends: [NODE] },
  ndproxy: { summary: 'IPv6 neighbour discovery proxy (RFC 4389)', depends: [NODE] },
  mcastfwd: { summary: 'mDNS and SSDP forwarder for guests behind NAT', depends: [NODE] },
  'bcast-fwd': { summary: 'IPv4 broadcast forwarder for guests behind NAT', depends: [NODE] },
  'adb-proxy': { summary: 'relay of ADB over TCP to Android guests', depends: [NODE] },
  counters: { summary: 'traffic counters by source, uplink and guest', depends: [NODE, 'nftables'] },
};

const UNITS = 'lib/systemd/system';

/** Folders of an app: where a package has their files, and what these say. */
const FOLDERS = [
  {
    folder: 'dbus',
    place: 'usr/share/dbus-1/system.d',
    means: 'who may own its name on the system bus, and call it',
  },
  { folder: 'systemd', place: UNITS, means: 'how systemd runs it' },
  {
    folder: 'networkd',
    place: 'usr/lib/systemd/network',
    means: "what keeps systemd-networkd's hands off guests' links",
  },
  {
    folder: 'NetworkManager',
    place: 'usr/lib/NetworkManager/conf.d',
    means: "what keeps NetworkManager's hands off guests' links",
  },
];

function main(names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(APPS, name));
  if (unknown !== undefined)
    throw new Error(`'${unknown}' is no program; write one of ${Object.keys(APPS).join(', ')}`);
  process.umask(0o022); // a package's files are for everybody, whoever makes it
  mkdirSync(PACKAGES, { recursive: true });
  const wanted = Object.entries(APPS).filter(([name]) => names.length === 0 || names.includes(name));
  for (const [name, facts] of wanted) process.stdout.write(`${pack(name, facts)}\n`);
}

/** The path of the package. */
function pack(name: string, facts: AppFacts): string {
  const tree = mkdtempSync(join(tmpdir(), 'patchpanel-package-'));
  try {
    chmodSync(tree, 0o755);
    fill(tree, name, facts);
    const { version, architecture } = { version: versionOf(name), architecture: architectureOf() };
    write(tree, 'DEBIAN/control', control(name, facts, version, architecture));
    addScripts(tree, name);
    const path = join(PACKAGES, `${name}_${version}_${architecture}.deb`);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', tree, path], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...sourceDate() },
    });
    return path;
  } finally {
    rmSync(tree, { recursive: true });
  }
}

function fill(tree: string, name: string, { summary }: AppFacts): void {
  const program = join(ROOT, 'dist/bin', name);
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`);
  const directory = name === 'patchpanelctl' ? 'usr/bin' : 'usr/sbin';
  mkdirSync(join(tree, directory), { recursive: true, mode: 0o755 });
  cpSync(program, join(tree, directory, name));
  const files = filesOf(name);
  for (const { place, from } of files) write(tree, place, readFileSync(from, 'utf8'));
  const { SOURCE_DATE_EPOCH: epoch } = sourceDate();
  const pages = programPages(program, {
    summary,
    version: versionOf(name),
    epochSec: epoch === undefined ? undefined : Number(epoch),
    files: files.map(({ place, means }) => ({ term: `/${place}`, text: means })),
    programs: Object.keys(APPS),
  });
  for (const [path, text] of Object.entries(pages)) write(tree, path, text);
  write(tree, `usr/share/doc/${name}/copyright`, licencesIn(readFileSync(program, 'utf8')));
}

/** What lies in the folders of an app. */
const filesOf = (name: string) =>
  FOLDERS.flatMap(({ folder, place, means }) => {
    const dir = join(ROOT, 'apps', name, folder);
    const files = existsSync(dir) ? readdirSync(dir) : [];
    return files.map((file) => ({ place: join(place, file), from: join(dir, file), means }));
  });

/** Our own licence and those of all that is in a program: its last comment, see bundle.ts. */
function licencesIn(program: string): string {
  const [, text] = /\n\/\*\n([^]*)\n\*\/\n$/.exec(program.slice(program.lastIndexOf('\n/*\n'))) ?? [];
  if (text === undefined) throw new Error('the program does not end with its licences: npm run build');
  return `${text}\n`;
}

/** What dpkg runs, and the user that the unit runs as, if it names one; where systemd is not, nothing runs the unit. */
function addScripts(tree: string, name: string): void {
  const unit = join(tree, UNITS, `${name}.service`);
  if (!existsSync(unit)) return;
  const text = readFileSync(unit, 'utf8');
  const [user, runtime, state] = ['User', 'RuntimeDirectory', 'StateDirectory'].map(
    (key) => new RegExp(`^${key}=(.+)$`, 'm').exec(text)?.[1],
  );
  if (user !== undefined)
    write(tree, `usr/lib/sysusers.d/${name}.conf`, `u ${user} - "Helpers of patchpanel"\n`);
  const scripts = maintainerScripts(name, {
    ...(user === undefined ? {} : { user }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(state === undefined ? {} : { state }),
    ...(name === 'patchpanel-manager' ? { undo: LEAVE_NOTHING } : {}),
  });
  for (const [script, text] of Object.entries(scripts)) {
    write(tree, `DEBIAN/${script}`, text);
    chmodSync(join(tree, 'DEBIAN', script), 0o755);
  }
}

const control = (
  name: string,
  { summary, depends, recommends = [] }: AppFacts,
  version: string,
  architecture: string,
): string =>
  [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: patchpanel maintainers <maintainers@patchpanel.invalid>',
    'Section: net',
    'Priority: optional',
    `Depends: ${depends.join(', ')}`,
    ...(recommends.length === 0 ? [] : [`Recommends: ${recommends.join(', ')}`]),
    `Description: ${summary}`,
    ' One of the services of patchpanel, which gives guests of one Linux host their links,',
    ' routes and NAT, and relays discovery between them and the network.',
    '',
  ].join('\n');

/** dpkg-deb takes the times of what it packs from there, at most. Outside a repository, as they are. */
function sourceDate(): { readonly SOURCE_DATE_EPOCH?: string } {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined) return { SOURCE_DATE_EPOCH: given };
  const { status, stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? { SOURCE_DATE_EPOCH: stdout.trim() } : {};
}

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(ROOT, 'apps', name, 'package.json'), 'utf8')) as { readonly version: string })
    .version;

const architectureOf = (): string =>
  execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();

function write(tree: string, path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
  writeFileSync(join(tree, path), text, { mode: 0o644 });
}

try {
  main(process.argv.slice(2));
} catch (fault) {
  process.stderr.write(`package: ${fault instanceof Error ? fault.message : String(fault)}\n`);
  process.exitCode = 1;
}
