import { buildSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { loadNative } from './load';
import { plainEnv } from './testing/plain-env';

const FILE = `addon-${process.arch}.node`;
const ADDON = process.env['PP_ADDON_PATH'] ?? resolve(__dirname, '../../../dist/native', FILE);
const FALLBACKS = ['/run', '/dev/shm', '/tmp', '/var/tmp'];

/** Says where the addon came from, and that it works; or the error, with exit code 1. */
const APP = `
  import { readFileSync } from 'node:fs';
  import { loadNative } from './load';
  try {
    const native = loadNative(process.argv[2] === undefined ? {} : { stateDir: process.argv[2] });
    const [reader] = native.pipe();
    const path = /(\\/\\S+addon-\\S+\\.node)/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1];
    console.log(native.fdKind(reader), path);
  } catch (fault) {
    console.error(String(fault));
    process.exitCode = 1;
  }
`;

let root = '';
let app = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pp-load-'));
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'state'));
  app = join(root, 'bin', 'app');
  buildSync({
    stdin: { contents: APP, resolveDir: __dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: app,
    define: { __PP_ADDON__: JSON.stringify(readFileSync(ADDON).toString('base64')) },
    logLevel: 'error',
  });
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: plainEnv() });
  return { status, stdout, stderr };
}

/** Runs the app where directories are mounted noexec, in a mount namespace of its own. */
function runNoexec(directories: readonly string[], ...args: string[]): Outcome {
  const mounts = directories.map((at) => `mount --bind ${at} ${at} && mount -o remount,bind,noexec ${at}`);
  const script = [...mounts, 'exec "$@"'].join(' && ');
  return run('unshare', '--mount', 'sh', '-c', script, 'sh', process.execPath, app, ...args);
}

const mayMount =
  spawnSync('unshare', [
    '--mount',
    'sh',
    '-ec',
    'for at; do mount --bind $at $at; mount -o remount,bind,noexec $at; test -w $at; done',
    'sh',
    ...FALLBACKS,
  ]).status === 0;
const testMounts = (name: string, body: () => void): void => {
  if (mayMount) test(name, body);
  else test.skip(`${name} (skipped: may not mount, or not write to /run)`, body);
};

const loadedFrom = ({ stdout }: Outcome): string => dirname(dirname(stdout.split(' ')[1] ?? ''));

describe('a bundled app', () => {
  test('unpacks to its state directory and leaves nothing there', () => {
    const state = join(root, 'state');
    const outcome = run(process.execPath, app, state);
    expect([outcome.status, outcome.stderr, loadedFrom(outcome)]).toEqual([0, '', state]);
    expect(outcome.stdout).toMatch(/^fifo /);
    expect(readdirSync(state)).toEqual([]);
  });

  testMounts('goes on to the next directory where one is missing or noexec', () => {
    expect(loadedFrom(runNoexec([], join(root, 'absent')))).toBe('/run');
    const outcome = runNoexec([root, '/run', '/dev/shm', '/tmp'], join(root, 'state'));
    expect([outcome.status, loadedFrom(outcome)]).toEqual([0, '/var/tmp']);
    expect(readdirSync(join(root, 'state'))).toEqual([]);
  });

  testMounts('names every directory and why, when none may execute', () => {
    const state = join(root, 'state');
    const { status, stderr } = runNoexec([root, ...FALLBACKS], state);
    expect(status).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^AddonLoadError: no directory to load the addon from: /);
    for (const directory of [state, ...FALLBACKS])
      expect(stderr).toMatch(new RegExp(`[;:] ${directory}: [^;]*failed to map segment`));
    for (const directory of [state, ...FALLBACKS])
      expect(readdirSync(directory).filter((name) => name.startsWith('patchpanel-addon-'))).toEqual([]);
  });

  test('takes the file beside it, also through a link; a bad one is passed over', () => {
    const beside = join(root, 'bin', FILE);
    copyFileSync(ADDON, beside);
    symlinkSync(app, join(root, 'link'));
    const viaLink = run(process.execPath, join(root, 'link'), join(root, 'state'));
    expect(viaLink.stdout).toBe(`fifo ${beside}\n`);
    writeFileSync(beside, 'not an addon');
    expect(loadedFrom(run(process.execPath, app, join(root, 'state')))).toBe(join(root, 'state'));
    rmSync(beside);
  });
});

test('from source, an addon that is not built says how to', () => {
  const before = process.env['PP_ADDON_PATH'];
  process.env['PP_ADDON_PATH'] = '/nonexistent/addon.node';
  try {
    expect(() => loadNative()).toThrow(
      '/nonexistent/addon.node does not exist; build it: npx nx addon @pp/native',
    );
  } finally {
    if (before === undefined) delete process.env['PP_ADDON_PATH'];
    else process.env['PP_ADDON_PATH'] = before;
  }
});
