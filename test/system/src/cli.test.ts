import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');
const bin = (app: string): string => join(ROOT, 'dist/bin', app);

interface Outcome {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a built program to its end, from `/`, so that nothing depends on the checkout. */
function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: '/',
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { exit: status, stdout, stderr };
}

const SERVICES = ['adb-proxy', 'bcast-fwd', 'mcastfwd', 'ndproxy', 'counters', 'patchpanel-manager'];

describe.each([...SERVICES, 'patchpanelctl'])('%s', (app) => {
  test('is one executable file', () => {
    expect((statSync(bin(app)).mode & 0o777).toString(8)).toBe('755');
  });

  test('--version is that of its package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'apps', app, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(run(bin(app), ['--version'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help', () => {
    const { exit, stdout, stderr } = run(bin(app), ['--help']);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: ${app} \\[options\\]`));
    for (const word of ['--help', '--version', '--state-dir', 'status']) expect(stdout).toContain(word);
  });

  test('an unknown option is exit 2 with one line', () => {
    expect(run(bin(app), ['--bogus'])).toEqual({
      exit: 2,
      stdout: '',
      stderr: `${app}: unknown option '--bogus'; see ${app} --help\n`,
    });
  });

  test('it starts from a directory of its own', () => {
    const dir = mkdtempSync(join(tmpdir(), 'alone-'));
    try {
      copyFileSync(bin(app), join(dir, 'moved'));
      expect(run(join(dir, 'moved'), ['--version']).exit).toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe.each(SERVICES)('%s as a service', (app) => {
  test.each([
    {
      name: 'log level',
      args: ['--log-level', 'loud'],
      sentence: "--log-level 'loud' is unknown; write debug or info or warn or error",
    },
    {
      name: 'log format',
      args: ['--log-format', 'xml'],
      sentence: "--log-format 'xml' is unknown; write text or json",
    },
    {
      name: 'state dir',
      args: ['--state-dir', ''],
      sentence: "--state-dir '' is empty; write a directory such as /run/patchpanel",
    },
  ])('a bad $name is exit 2', ({ args, sentence }) => {
    expect(run(bin(app), args)).toEqual({ exit: 2, stdout: '', stderr: `${app}: ${sentence}\n` });
  });

  test.each([{ args: ['status'] }, { args: ['status', '--json'] }])(
    '$args of nobody is exit 6',
    ({ args }) => {
      expect(run(bin(app), ['--state-dir', '/nonexistent', ...args])).toEqual({
        exit: 6,
        stdout: '',
        stderr: `${app}: ${app} is not running: nobody answers at /nonexistent/${app}.sock; start it or give its --state-dir\n`,
      });
    },
  );
});

test.each([
  { app: 'ndproxy', instead: 'name interfaces: ndproxy eth0 vmtap0' },
  { app: 'mcastfwd', instead: 'name interfaces: mcastfwd eth0 vmtap0' },
  { app: 'bcast-fwd', instead: 'name interfaces: bcast-fwd eth0 vmtap0' },
  { app: 'counters', instead: 'name uplinks: counters eth0' },
  { app: 'adb-proxy', instead: 'write --listen 127.0.0.1:5555 and where to --connect' },
  { app: 'patchpanel-manager', instead: 'set DBUS_SYSTEM_BUS_ADDRESS' },
])('$app without a bus says so in one line, and what else to write', ({ app, instead }) => {
  const dir = mkdtempSync(join(tmpdir(), 'busless-'));
  try {
    const address = `unix:path=${dir}/bus`;
    expect(run(bin(app), ['--state-dir', dir], { DBUS_SYSTEM_BUS_ADDRESS: address })).toEqual({
      exit: 1,
      stdout: '',
      stderr: `${app}: cannot connect to the D-Bus system bus at ${address}: connect ${dir}/bus: ENOENT; start the D-Bus system bus, or ${instead}\n`,
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each([
  {
    args: ['eth0'],
    sentence: "'eth0' stands alone; write at least two interfaces: ndproxy eth0 vmtap0",
  },
  {
    args: ['--state-dir', '/nonexistent', 'group', 'add-if', 'tap0'],
    sentence: "group add-if takes IF and GROUP, not 'tap0'; write ndproxy group add-if IF GROUP",
  },
])('ndproxy $args is exit 2', ({ args, sentence }) => {
  expect(run(bin('ndproxy'), args)).toEqual({ exit: 2, stdout: '', stderr: `ndproxy: ${sentence}\n` });
});

test.each([
  {
    args: ['eth0=wifi'],
    sentence: "'eth0=wifi': after the = there is vpn only; write for example counters eth0 wlan0 wg0=vpn",
  },
  { args: ['=vpn'], sentence: "'=vpn' names no uplink; write for example counters eth0 wlan0 wg0=vpn" },
  { args: ['eth0', 'eth0'], sentence: "uplink 'eth0' is named twice; write it once" },
  { args: ['a/b'], sentence: `'a/b' cannot be an interface; write a name as "ip link" shows it` },
  { args: ['--period', '0'], sentence: "--period '0' is out of range; write a whole number from 1 to 3600" },
  {
    args: ['--metrics', '0.0.0.0:9477'],
    sentence:
      "--metrics '0.0.0.0:9477' is no loopback address with a port; write for example 127.0.0.1:9477 or [::1]:9477",
  },
])('counters $args is exit 2', ({ args, sentence }) => {
  expect(run(bin('counters'), args)).toEqual({ exit: 2, stdout: '', stderr: `counters: ${sentence}\n` });
});

test.each([
  {
    name: 'a bad argument',
    args: ['--direction', 'up'],
    exit: 2,
    sentence: "--direction 'up' is unknown; write two-way or inbound or outbound or off",
  },
  {
    name: 'a command that nobody is there to take',
    args: ['guests', 'apart', '--state-dir', '/nonexistent'],
    exit: 6,
    sentence: 'mcastfwd is not running: nobody answers at /nonexistent/mcastfwd.control (ENOENT)',
  },
  {
    name: 'a misused command, whether or not anybody is there,',
    args: ['--state-dir=/nonexistent', 'group', 'foo', '239.1.1.1:80'],
    exit: 2,
    sentence: "'group foo 239.1.1.1:80' is not understood; write group add|del ADDR:PORT[:reply=SECONDS]",
  },
  {
    name: 'a bad value of a command',
    args: ['group', 'add', '1.2.3.4:80'],
    exit: 2,
    sentence:
      "'1.2.3.4' is not a multicast address; write ADDR:PORT[:reply=SECONDS], for example 239.255.255.250:3702:reply=10 or [ff02::1:3]:5355",
  },
  {
    name: 'an option that a command has not',
    args: ['guests', 'apart', '--json'],
    exit: 2,
    sentence: "guests takes no option '--json'; see mcastfwd --help",
  },
])('mcastfwd: $name is one line', ({ args, exit, sentence }) => {
  expect(run(bin('mcastfwd'), args)).toEqual({ exit, stdout: '', stderr: `mcastfwd: ${sentence}\n` });
});

test.each([
  {
    args: ['eth0'],
    sentence: "'eth0' stands alone; write at least two interfaces: bcast-fwd eth0 vmtap0",
  },
  {
    args: ['--ports', '67', 'eth0', 'vmtap*'],
    sentence: "--ports '67' is DHCP, which is never relayed; leave it out",
  },
  {
    args: ['trace', 'eth0'],
    sentence: "trace takes one IPv4 address or nothing, not 'eth0'",
  },
])('bcast-fwd $args is exit 2', ({ args, sentence }) => {
  expect(run(bin('bcast-fwd'), args)).toEqual({ exit: 2, stdout: '', stderr: `bcast-fwd: ${sentence}\n` });
});

test.each([
  { app: 'ndproxy', args: ['group', '--help'] },
  { app: 'mcastfwd', args: ['--state-dir', '/nonexistent', 'trace', '-h'] },
  { app: 'bcast-fwd', args: ['trace', '--help'] },
])('$app $args is its --help', ({ app, args }) => {
  expect(run(bin(app), args)).toEqual(run(bin(app), ['--help']));
});

test.each([
  {
    app: 'patchpanelctl',
    args: ['port', 'close', 'forward', '8080'],
    sentence: "port close takes one port, not 'forward' and '8080'; write for example port close 8080",
  },
  {
    app: 'patchpanelctl',
    args: ['doctor', '-v'],
    sentence: "unknown option '-v'; see patchpanelctl doctor --help",
  },
  {
    app: 'patchpanel-manager',
    args: ['--pool', 'namespace=10.80.0.1/16'],
    sentence:
      '--pool namespace=10.80.0.1/16: bits of 10.80.0.1/16 are set beyond its length; write namespace=10.80.0.0/16',
  },
])('$app $args is exit 2, with what to write instead', ({ app, args, sentence }) => {
  expect(run(bin(app), args)).toEqual({ exit: 2, stdout: '', stderr: `${app}: ${sentence}\n` });
});

test('patchpanelctl: what is wrong on one line, what to do on the next', () => {
  expect(run(bin('patchpanelctl'), ['--state-dir', '/nonexistent', 'status'])).toEqual({
    exit: 6,
    stdout: '',
    stderr:
      'patchpanelctl: patchpanel-manager is not running: nobody answers at /nonexistent/patchpanel-manager.sock\nstart it or give its --state-dir\n',
  });
});

/** In a mount namespace of its own, where the given directories do not execute. */
function runNoexec(places: readonly string[]): Outcome {
  const mounts = places.map(
    (place) => `mount --bind ${place} ${place} && mount -o remount,bind,noexec ${place}`,
  );
  const script = [...mounts, `exec node ${bin('patchpanelctl')} --state-dir /nonexistent connect --new`].join(
    ' && ',
  );
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script],
    {
      cwd: '/',
      encoding: 'utf8',
      env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent/bus' },
    },
  );
  return { exit: status, stdout, stderr };
}

const why = process.geteuid?.() === 0 ? undefined : 'root is needed for a mount namespace';
const describeAsRoot = why === undefined ? describe : describe.skip;

describeAsRoot(
  `the addon where directories are mounted noexec${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    test('another directory is taken', () => {
      const { exit, stderr } = runNoexec(['/tmp', '/run']);
      expect(stderr).toMatch(/^patchpanelctl: cannot connect to the D-Bus system bus/); // so the addon was there
      expect(exit).toBe(6);
    });

    test('where none is left, each is named and the exit code is 1', () => {
      const { exit, stderr } = runNoexec(['/run', '/dev/shm', '/tmp', '/var/tmp']);
      expect(stderr).toMatch(
        /^patchpanelctl: no directory to load the addon from: \/nonexistent: .*; \/run: .*; \/dev\/shm: .*; \/tmp: .*; \/var\/tmp: .*\nlet one of them execute, or put addon-\w+\.node beside the program\n$/,
      );
      expect(exit).toBe(1);
    });
  },
);
