import { loadNative } from '@pp/native';
import { buildSync } from 'esbuild';
import { execFileSync, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { askStatus } from './status-client';
import { statusPath } from './status-socket';

const dir = mkdtempSync(join(tmpdir(), 'run-daemon-'));
const FIXTURE = join(dir, 'fixture.cjs');
const ADDON = resolve(__dirname, `../../../dist/native/addon-${process.arch}.node`);

beforeAll(() => {
  buildSync({
    entryPoints: [join(__dirname, 'testing/fixture.ts')],
    outfile: FIXTURE,
    bundle: true,
    platform: 'node',
    target: 'node20',
  });
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** A run of the fixture; what it wrote, as it comes. */
class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, stdio: StdioOptions = 'pipe') {
    this.child = spawn(process.execPath, [FIXTURE, ...args], {
      env: { ...process.env, PP_ADDON_PATH: ADDON, ...env },
      stdio,
    });
    this.child.stdout?.on('data', (part: Buffer) => (this.stdout += part.toString()));
    this.child.stderr?.on('data', (part: Buffer) => (this.stderr += part.toString()));
    this.ended = new Promise((done) => {
      this.child.on('close', (code, signal) => {
        done(code ?? signal ?? 'nothing');
      });
    });
  }

  /** Polls until a line of the log matches. */
  async logs(line: RegExp): Promise<void> {
    for (let tries = 0; tries < 1000; tries++) {
      if (line.test(this.stderr)) return;
      if (this.child.exitCode !== null || this.child.signalCode !== null) break;
      await new Promise((done) => setTimeout(done, 10));
    }
    throw new Error(`no line ${String(line)} in: ${this.stderr}`);
  }

  /** Everything that it wrote and how it ended, once it has. */
  async outcome(): Promise<{ exit: number | string; stdout: string; stderr: string }> {
    const exit = await this.ended;
    return { exit, stdout: this.stdout, stderr: this.stderr.replaceAll(dir, 'DIR') };
  }
}

let count = 0;
const freshState = (): string => join(dir, `state${String(count++)}`);
const inState = (state: string, ...args: string[]): Run => new Run(['--state-dir', state, ...args]);
const READY = 'ready service=fixture version=9.8.7 status=DIR/STATE/fixture.sock\n';

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s ends it cleanly, the scope in reverse',
  async (signal) => {
    const state = freshState();
    const run = inState(state);
    await run.logs(/^ready /m);
    run.child.kill(signal);
    const { exit, stderr } = await run.outcome();
    const name = state.slice(dir.length + 1);
    expect(stderr).toBe(
      `started behaviour=serve stateDir=DIR/${name}\n${READY.replace('STATE', name)}stopping\nclosed.second\nclosed.first\nstopped\n`,
    );
    expect(exit).toBe(0);
    expect(readdirSync(state)).toEqual([]);
  },
);

describe('a run that ends by itself', () => {
  const rows: { name: string; behave: string; exit: number; want: RegExp }[] = [
    { name: 'refused by main', behave: 'refuse', exit: 4, want: /^fixture: somebody else owns the name\n$/ },
    {
      name: 'main throws',
      behave: 'throw',
      exit: 1,
      want: /^error fault error="opening the bus: ECONNREFUSED"\n$/,
    },
    {
      name: 'a task fails',
      behave: 'fail',
      exit: 1,
      want: /^started .*\nstopping\nclosed.second\nclosed.first\nerror fault error="worker: the link is gone: ENODEV"\n$/,
    },
    {
      name: 'an exception that nobody catches',
      behave: 'crash',
      exit: 1,
      want: /\nerror fault error="out of the blue"\nstopping\nclosed.second\nclosed.first\nstopped\n$/,
    },
  ];
  test.each(rows)('$name', async ({ behave, exit, want }) => {
    const state = freshState();
    const { stderr, exit: got } = await inState(state, '--behave', behave).outcome();
    expect(stderr).toMatch(want);
    expect(got).toBe(exit);
    expect(readdirSync(state)).toEqual([]);
  });
});

test('a fault while closing is told and is exit 1', async () => {
  const run = inState(freshState(), '--behave', 'bad-close');
  await run.logs(/^ready /m);
  run.child.kill('SIGTERM');
  const { exit, stderr } = await run.outcome();
  expect(stderr).toMatch(
    /\nclosed.second\nclosed.first\nerror fault error="closing: \[the table is stuck\]"\n$/,
  );
  expect(exit).toBe(1);
});

test('a signal while it starts is a clean end', async () => {
  const run = inState(freshState(), '--behave', 'slow-start');
  await run.logs(/^starting/m);
  run.child.kill('SIGTERM');
  expect(await run.outcome()).toEqual({ exit: 0, stdout: '', stderr: 'starting\nstopping\nstopped\n' });
});

test.each([
  { signal: 'SIGTERM', exit: 143 },
  { signal: 'SIGINT', exit: 130 },
] as const)('a second $signal ends it at once', async ({ signal, exit }) => {
  const run = inState(freshState(), '--behave', 'hang');
  await run.logs(/^ready /m);
  run.child.kill(signal);
  await run.logs(/^stopping/m);
  run.child.kill(signal);
  expect((await run.outcome()).exit).toBe(exit);
});

test('json log, level and status', async () => {
  const state = freshState();
  const run = inState(state, '--log-format', 'json', '--log-level', 'debug');
  await run.logs(/"event":"ready"/);
  const json = await inState(state, 'status', '--json').outcome();
  const text = await inState(state, 'status').outcome();
  run.child.kill();
  await run.ended;
  expect(JSON.parse(json.stdout)).toEqual({
    name: 'fixture',
    version: '9.8.7',
    pid: run.child.pid,
    uptimeSec: expect.any(Number) as number,
    ready: true,
    behaviour: 'serve',
    guests: [{ id: 1 }],
  });
  expect(text.stdout).toMatch(
    /^name +fixture\nversion +9\.8\.7\npid .*\n.*\nready +true\nbehaviour +serve\n\nguests\nid\n1\n$/,
  );
  expect(
    run.stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event),
  ).toEqual(['started', 'ready', 'stopping', 'closed.second', 'closed.first', 'stopped']);
});

describe('command lines that start nothing', () => {
  const rows: { name: string; args: string[]; exit: number; stdout: RegExp; stderr: string }[] = [
    { name: '--version', args: ['--version'], exit: 0, stdout: /^9\.8\.7\n$/, stderr: '' },
    { name: '--help', args: ['--help'], exit: 0, stdout: /^Usage: fixture \[options\]\n/, stderr: '' },
    {
      name: 'a bad argument',
      args: ['--behave', 'x'],
      exit: 2,
      stdout: /^$/,
      stderr:
        "fixture: --behave 'x' is unknown; write serve or refuse or throw or fail or crash or hang or bad-close or slow-start\n",
    },
    {
      name: 'an unknown option',
      args: ['--x'],
      exit: 2,
      stdout: /^$/,
      stderr: "fixture: unknown option '--x'; see fixture --help\n",
    },
    {
      name: 'status of nobody',
      args: ['--state-dir', '/nonexistent', 'status'],
      exit: 6,
      stdout: /^$/,
      stderr:
        'fixture: fixture is not running: nobody answers at /nonexistent/fixture.sock; start it or give its --state-dir\n',
    },
  ];
  test.each(rows)('$name', async ({ args, exit, stdout, stderr }) => {
    const got = await new Run(args).outcome();
    expect(got.stderr).toBe(stderr);
    expect(got.stdout).toMatch(stdout);
    expect(got.exit).toBe(exit);
  });
});

test('of four started at once over a dead socket one serves, the others touch nothing', async () => {
  const state = freshState();
  const socket = join(state, 'fixture.sock');
  const first = inState(state);
  await first.logs(/^ready /m);
  first.child.kill('SIGKILL');
  await first.ended;
  const runs = Array.from({ length: 4 }, () => inState(state));
  const settled = (run: Run): Promise<string> =>
    Promise.race([
      run.logs(/^ready /m).then(() => 'ready'),
      run.outcome().then(({ exit, stderr }) => `${exit} ${stderr}`),
    ]).catch(async () => run.outcome().then(({ exit, stderr }) => `${exit} ${stderr}`));
  const outcomes = await Promise.all(runs.map(settled));
  const taken = `1 fixture: already running: another process answers at ${socket.replace(dir, 'DIR')}; stop it or use another --state-dir\n`;
  expect(outcomes.sort()).toEqual([taken, taken, taken, 'ready']);
  expect(readdirSync(state)).toEqual(['fixture.sock']);
  for (const run of runs) run.child.kill();
  expect((await Promise.all(runs.map((run) => run.ended))).sort()).toEqual([0, 1, 1, 1]);
  expect(readdirSync(state)).toEqual([]);
});

async function isHeard(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++)
    await new Promise((done) => setTimeout(done, 10));
}

test('systemd hears WATCHDOG, READY and STOPPING', async () => {
  const native = loadNative();
  const socket = join(dir, 'notify');
  const heard: string[] = [];
  const listener = native.adoptStream(native.bindUnixDatagram(socket), {
    onData: (data) => heard.push(Buffer.from(data).toString()),
    onEnd: () => undefined,
    onError: (fault) => heard.push(fault.message),
  });
  const run = new Run(['--state-dir', freshState()], {
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: '60000000',
  });
  await run.logs(/^ready /m);
  run.child.kill();
  expect(await run.ended).toBe(0);
  await isHeard(() => heard.length >= 3); // its end may be told before what it sent
  listener.close();
  expect(heard).toEqual(['WATCHDOG=1', 'READY=1', 'STOPPING=1']);
});

test.each([
  { name: 'the journal reads it', stream: 'its own', want: '<3>fault error=' },
  { name: 'it was redirected', stream: '1:1', want: 'error fault error=' },
])('priorities: $name', async ({ stream, want }) => {
  const native = loadNative();
  const [readEnd, writeEnd] = native.pipe();
  const { dev, ino } = native.fdIdentity(writeEnd);
  const child = spawn(process.execPath, [FIXTURE, '--state-dir', freshState(), '--behave', 'throw'], {
    env: {
      ...process.env,
      PP_ADDON_PATH: ADDON,
      JOURNAL_STREAM: stream === 'its own' ? `${dev}:${ino}` : stream,
    },
    stdio: ['ignore', 'ignore', writeEnd],
  });
  native.closeFd(writeEnd);
  await new Promise((done) => child.on('close', done));
  expect(readFileSync(readEnd, 'utf8').slice(0, want.length)).toBe(want);
  native.closeFd(readEnd);
});

test('a reader of the log that goes away does not stop the service', async () => {
  const state = freshState();
  const run = inState(state);
  await run.logs(/^ready /m);
  run.child.stderr?.destroy();
  run.child.kill();
  expect(await run.ended).toBe(0);
});

/** A run with that stream, 1 or 2, on a disk that takes nothing. */
function onFullDisk(stream: number, args: readonly string[]): Run {
  const full = openSync('/dev/full', 'w');
  const stdio = ['ignore', 'pipe', 'pipe'].map((as, i) => (i === stream ? full : as)) as StdioOptions;
  const run = new Run(args, {}, stdio);
  closeSync(full);
  return run;
}

test('a log on a full disk does not stop the service', async () => {
  const state = freshState();
  const run = onFullDisk(2, ['--state-dir', state]);
  const status = statusPath(state, 'fixture');
  await isHeard(() => existsSync(status) || run.child.exitCode !== null);
  expect(JSON.parse(await askStatus('fixture', status))).toMatchObject({ ready: true });
  run.child.kill();
  expect(await run.ended).toBe(0);
});

test('a log that may not grow any more (RLIMIT_FSIZE) does not stop the service', async () => {
  const path = join(dir, 'limited.log');
  const file = openSync(path, 'w');
  const run = new Run(['--state-dir', freshState()], {}, ['ignore', 'pipe', file]);
  closeSync(file);
  const log = (): string => readFileSync(path, 'utf8');
  await isHeard(() => /^ready /m.test(log()) || run.child.exitCode !== null);
  const limit = log().length + 4;
  execFileSync('prlimit', ['--pid', String(run.child.pid), `--fsize=${limit}`]);
  run.child.kill();
  expect(await run.ended).toBe(0);
  expect(log()).toMatch(/^stop$(?![^])/m); // as much of "stopping" as it may have
});

test('what cannot be printed is said', async () => {
  const { exit, stderr } = await onFullDisk(1, ['--help']).outcome();
  expect([exit, stderr]).toEqual([1, 'fixture: standard output cannot be written (ENOSPC)\n']);
});

test('a socket left by another program under the name of ours is replaced only when dead', async () => {
  const state = freshState();
  const first = inState(state);
  await first.logs(/^ready /m);
  first.child.kill();
  await first.ended;
  const server = createServer();
  await new Promise<void>((done) => server.listen(join(dir, 'elsewhere'), done));
  linkSync(join(dir, 'elsewhere'), join(state, 'fixture.sock'));
  expect((await inState(state).outcome()).stderr).toMatch(/^fixture: already running: /);
  await new Promise((done) => server.close(done));
  const second = inState(state);
  await second.logs(/^ready /m);
  second.child.kill();
  expect(await second.ended).toBe(0);
});
