import { seconds } from '@pp/base';
import {
  eventOf,
  labTest,
  program,
  SHARED_INSIDE,
  standardLab,
  startManager,
  STATE_INSIDE,
  until,
  type Child,
  type StandardLab,
} from '@pp/lab';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The manager with helper programs beside it that the test wrote. */
const PROGRAMS = `${SHARED_INSIDE}/programs`;
const STATE = `${SHARED_INSIDE}/helpers-state`;

const HELPERS = ['ndproxy', 'mcastfwd', 'bcast-fwd', 'adb-proxy', 'counters'];

let lab: StandardLab;

beforeAll(async () => {
  lab = await standardLab();
  const directory = join(lab.host.shared, 'programs');
  mkdirSync(directory);
  copyFileSync(program('patchpanel-manager'), join(directory, 'patchpanel-manager'));
  const script = (name: string, text: string): void => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(directory, name), 0o755);
  };
  script('ndproxy', 'exec sleep 4711');
  script('mcastfwd', 'echo "mcastfwd: not today" >&2; exit 1');
}, 60_000);

afterAll(async () => {
  await lab.close();
}, 60_000);

async function startWithHelpers(): Promise<Child> {
  const args = ['--state-dir', STATE, '--log-format', 'json', '--uplink', 'eth0'];
  const manager = lab.host.spawn(`${PROGRAMS}/patchpanel-manager`, args);
  await manager.line('log line "ready"', (line) => eventOf(line) === 'ready' || undefined, seconds(20));
  return manager;
}

interface Status {
  readonly helpers: readonly {
    readonly name: string;
    readonly state: string;
    readonly pid: number | null;
    readonly restarts: number;
    readonly lastEnd: string | null;
  }[];
  readonly warnings: readonly string[];
}

async function status(): Promise<Status> {
  const text = await lab.host.ok(`${PROGRAMS}/patchpanel-manager`, [
    '--state-dir',
    STATE,
    'status',
    '--json',
  ]);
  return JSON.parse(text) as Status;
}

/** The pid of ndproxy, when it runs. */
const running = async (): Promise<number> => {
  const pid = async (): Promise<number | null | undefined> =>
    (await status()).helpers.find(({ name }) => name === 'ndproxy')?.pid;
  return until('ndproxy to run', pid);
};

/** Processes of this lab's host whose command line fits: other test files run the same programs at the same time. */
async function pgrep(...args: readonly string[]): Promise<readonly string[]> {
  const here = ['--ns', String(lab.host.pid), '--nslist', 'net'];
  const { stdout } = await lab.host.run('pgrep', [...here, '-f', ...args]);
  return stdout.split('\n').filter((line) => line !== '');
}

const sleepers = (): Promise<readonly string[]> => pgrep('-x', 'sleep 4711');

/** It is a shell script until it has become what it starts. */
const becomes = (pid: number): Promise<unknown> =>
  until(`${pid} to be the sleeper`, async () => (await sleepers()).includes(String(pid)));

labTest('helpers are kept running, never twice, and end with the manager', async () => {
  const first = await startWithHelpers();
  const pid = await running();
  await becomes(pid);
  expect(await sleepers()).toEqual([String(pid)]);

  await lab.host.ok('kill', ['-KILL', String(pid)]);
  await until('another one', async () => (await running()) !== pid);
  const left = await running();
  await becomes(left);
  first.kill('SIGKILL');
  await first.exited;
  expect(await sleepers()).toEqual([String(left)]);

  const second = await startWithHelpers();
  await until('the one that was left to be replaced', async () => (await running()) !== left);
  await becomes(await running());
  expect(await sleepers()).toEqual([String(await running())]);
  expect((await second.stop(seconds(25))).code).toBe(0);
  expect(await sleepers()).toEqual([]);
});

labTest('one that ends at once is started again ever later, and the status says so', async () => {
  const manager = await startWithHelpers();
  const ends = (): readonly object[] =>
    manager.stderr
      .split('\n')
      .filter((line) => eventOf(line) === 'helper.ended' && line.includes('mcastfwd'))
      .map((line) => JSON.parse(line) as object);
  await until('four ends', () => Promise.resolve(ends().length >= 4));
  expect(ends().slice(0, 4)).toMatchObject(
    [200, 400, 800, 1600].map((againInMs) => ({ name: 'mcastfwd', end: 'exit 1', againInMs })),
  );
  expect((await status()).warnings).toContain(
    'helper mcastfwd does not stay up: exit 1; the log of the manager says why',
  );
  await manager.stop(seconds(25));
});

labTest('none is left by a manager that is killed before it has written it down', async () => {
  const record = join(lab.host.shared, 'helpers-state/helpers.json.part');
  await lab.host.shell(`mkdir -p ${STATE}; mkfifo ${STATE}/helpers.json.part`); // whose writer waits for a reader
  const manager = lab.host.spawn(`${PROGRAMS}/patchpanel-manager`, [
    '--state-dir',
    STATE,
    '--uplink',
    'eth0',
  ]);
  const children = async (): Promise<string> =>
    (await lab.host.run('pgrep', ['-P', String(manager.pid), '-f', 'ndproxy|sleep 4711'])).stdout.trim();
  const child = await until('the first helper', children);
  manager.kill('SIGKILL');
  await manager.exited;
  rmSync(record);
  await until('it to be gone', async () => (await lab.host.run('kill', ['-0', child])).code !== 0);
  const next = await startWithHelpers();
  await running();
  await next.stop(seconds(25));
  expect(await sleepers()).toEqual([]);
});

labTest('by default all five helpers of this release run beside the manager, and follow it', async () => {
  const manager = await startManager(lab.host, { args: ['--uplink', 'eth0=ethernet', '--helpers', 'spawn'] });
  const statusOf = async (app: string): Promise<{ readonly helpers?: Status['helpers'] }> =>
    JSON.parse(await lab.host.ok(program(app), ['--state-dir', STATE_INSIDE, 'status', '--json'])) as Status;
  try {
    await until('all to run', async () => {
      const { helpers = [] } = await statusOf('patchpanel-manager');
      return helpers.length === HELPERS.length && helpers.every(({ state }) => state === 'running');
    });
    for (const helper of HELPERS)
      await until(`${helper} to answer`, () => statusOf(helper).then(() => true, () => false)); // prettier-ignore
    const { helpers = [] } = await statusOf('patchpanel-manager');
    expect(helpers.map(({ name, restarts }) => [name, restarts])).toEqual(HELPERS.map((name) => [name, 0]));
    for (const helper of HELPERS) expect(await pgrep(`${program(helper)} --state-dir`)).toHaveLength(1); // so the look for none is one that finds
  } finally {
    expect((await manager.stop()).code).toBe(0);
  }
  for (const helper of HELPERS) expect(await pgrep(`${program(helper)} --state-dir`)).toEqual([]);
});

labTest(
  'an operator’s own helper keeps the manager’s out, who says what to do, and takes over when it ends',
  async () => {
    const own = lab.host.spawn(program('ndproxy'), ['--state-dir', '/run/lab/ndproxy-own']);
    await own.line('log line "ready"', (line) => line.includes('ready') || undefined);
    const manager = await startManager(lab.host, {
      args: ['--uplink', 'eth0=ethernet', '--helpers', 'spawn'],
    });
    const look = async (): Promise<Status> => {
      const args = ['--state-dir', STATE_INSIDE, 'status', '--json'];
      return JSON.parse((await lab.host.run(program('patchpanelctl'), args)).stdout) as Status;
    };
    try {
      const waiting = await until('the others to run', async () => {
        const status = await look();
        return status.helpers.slice(1).every(({ state }) => state === 'running') ? status : undefined;
      });
      expect(waiting.helpers[0]).toMatchObject({ state: 'waiting', restarts: 0, other: own.pid });
      expect(waiting.warnings).toEqual([
        `helper ndproxy is not started: another one, pid ${own.pid}, runs already; stop that one or start the manager with --helpers none`,
      ]);
      expect(waiting.helpers.slice(1).map(({ state, restarts }) => [state, restarts])).toEqual(
        HELPERS.slice(1).map(() => ['running', 0]),
      );
      const told = manager.process.stderr.split('\n').filter((line) => line.includes('ndproxy'));
      expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([
        { event: 'helper.another', name: 'ndproxy', pid: own.pid },
      ]);
      await own.stop();
      const isBack = async (): Promise<boolean> => (await look()).helpers[0]?.state === 'running';
      await until('the manager’s to run', isBack, { deadline: seconds(45) });
      expect((await look()).warnings).toEqual([]);
    } finally {
      await manager.stop();
    }
  },
);

labTest(
  'the status says which helper does not stay up, and the log does so at the rate of the back-off',
  async () => {
    const manager = await startWithHelpers();
    const tried = async (): Promise<boolean> =>
      (await status()).helpers.some(({ name, restarts }) => name === 'mcastfwd' && restarts >= 3);
    await until('three restarts', tried);
    const told = manager.stderr
      .split('\n')
      .map(eventOf)
      .filter((event) => event === 'helper.ended');
    const { helpers, warnings } = await status();
    expect(helpers.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'ndproxy running',
      expect.stringMatching(/^mcastfwd (waiting|running)$/),
      'bcast-fwd absent',
      'adb-proxy absent',
      'counters absent',
    ]);
    expect(helpers[1]?.lastEnd).toBe('exit 1');
    expect(told.length).toBeLessThanOrEqual((helpers[1]?.restarts ?? 0) + 1); // not twice for one end
    if (helpers[1]?.state === 'waiting')
      expect(warnings).toEqual([expect.stringMatching(/^helper mcastfwd does not stay up: exit 1; /)]);
    await manager.stop(seconds(25));
    expect(manager.stderr).toContain('mcastfwd: not today');
  },
);
