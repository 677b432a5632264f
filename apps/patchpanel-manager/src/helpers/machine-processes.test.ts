import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@pp/base/testing';
import { systemClock } from '@pp/daemon';
import { MachineProcesses } from './machine-processes';
import { Supervisor } from './supervisor';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'helpers-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Each run of a helper adds its pid and its arguments to NAME.runs; then it does as `script` says. */
function program(name: string, script: string): void {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\necho "$$ $*" >> "${path}.runs"\n${script}\n`);
  chmodSync(path, 0o755);
}
/** Whole lines only: the shell makes the file before it writes. */
const runs = (name: string): readonly string[] => {
  const path = join(directory, `${name}.runs`);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
};
const pidOf = (run: string | undefined): number => Number(run?.split(' ')[0]);
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch (fault) {
    if (['ENOENT', 'ESRCH'].includes((fault as NodeJS.ErrnoException).code ?? '')) return false;
    throw fault;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function supervise(names: readonly string[], recordPath = join(directory, 'helpers.json')) {
  const log = new MemoryLog();
  const common = { clock: systemClock, log };
  const processes = new MachineProcesses({ ...common, directory, args: ['--x', 'y z'], recordPath });
  const supervisor = new Supervisor({
    ...common,
    processes,
    names,
    hasWork: () => true,
    otherOne: () => null,
  });
  const stop = new AbortController();
  const over = supervisor.run(stop.signal);
  return {
    supervisor,
    log,
    end: async () => {
      stop.abort();
      await over;
    },
  };
}

test('helpers run with their arguments, come back when killed, and end with the supervisor', async () => {
  program('steady', 'exec sleep 1000');
  program('refusing', 'exit 1');
  const { supervisor, end } = supervise(['steady', 'refusing', 'absent']);
  await until(
    'both to be started, one of them twice',
    () => runs('steady').length === 1 && runs('refusing').length > 1,
  );
  const [first] = runs('steady');
  expect(first).toMatch(/^\d+ --x y z$/);
  process.kill(pidOf(first), 'SIGKILL');
  await until('the killed one to be back', () => runs('steady').length === 2);
  const status = supervisor.status.map(({ name, restarts, lastEnd }) => [name, restarts > 0, lastEnd]);
  expect(status).toEqual([
    ['steady', true, 'SIGKILL'],
    ['refusing', true, 'exit 1'],
    ['absent', false, null],
  ]);
  await end();
  expect(isAlive(pidOf(runs('steady')[1]))).toBe(false);
});

test('a program that cannot be started is tried again like one that ends', async () => {
  writeFileSync(join(directory, 'broken'), '#!/nonexistent/interpreter\n', { mode: 0o755 });
  const { supervisor, end } = supervise(['broken']);
  await until('a second try', () => (supervisor.status[0]?.restarts ?? 0) > 0);
  expect(supervisor.status[0]?.lastEnd).toBe('exit 127');
  await end();
});

test('a program does not run before it is told to', async () => {
  program('steady', 'exec sleep 1000');
  const common = { clock: systemClock, log: new MemoryLog(), directory, args: [] };
  const processes = new MachineProcesses({ ...common, recordPath: join(directory, 'helpers.json') });
  const [told, untold] = [processes.start('steady'), processes.start('steady')];
  told.begin();
  await until('the one that was told to', () => runs('steady').length > 0);
  untold.kill('SIGTERM');
  expect([await untold.ended, runs('steady').map(pidOf)]).toEqual(['SIGTERM', [told.pid]]);
  told.kill('SIGTERM');
  await told.ended;
});

test('a helper left by an earlier run is ended, and no process that has a recorded pid by chance', async () => {
  program('orphan', 'exec sleep 1000');
  const earlier = supervise(['orphan']);
  await until('the orphan', () => runs('orphan').length === 1);
  const orphan = pidOf(runs('orphan')[0]);
  const path = join(directory, 'helpers.json');
  const records = JSON.parse(readFileSync(path, 'utf8')) as object[];
  expect(records).toMatchObject([{ name: 'orphan', pid: orphan }]);
  writeFileSync(path, JSON.stringify([...records, { name: 'steady', pid: process.pid, startTime: '1' }]));
  const next = supervise([]);
  await until('the orphan to be ended', () => !isAlive(orphan));
  await next.end();
  await earlier.end();
});

test('records that cannot be read are no reason not to start', async () => {
  program('steady', 'exec sleep 1000');
  writeFileSync(join(directory, 'helpers.json'), '[{"name":"steady"},7,');
  const { end } = supervise(['steady']);
  await until('the first run', () => runs('steady').length === 1);
  await end();
});

test.each([
  {
    name: 'the disk is full',
    spoil: () => {
      symlinkSync('/dev/full', join(directory, 'state/helpers.json.part'));
    },
  },
  {
    name: 'the state directory is gone',
    spoil: () => {
      rmSync(join(directory, 'state'), { recursive: true });
    },
  },
])('helpers are kept while $name', async ({ spoil }) => {
  mkdirSync(join(directory, 'state'));
  program('steady', 'exec sleep 1000');
  const { supervisor, log, end } = supervise(['steady'], join(directory, 'state/helpers.json'));
  await until('the first run', () => runs('steady').length === 1);
  spoil();
  process.kill(pidOf(runs('steady')[0]), 'SIGKILL');
  await until('the second run', () => runs('steady').length === 2);
  expect(supervisor.status).toMatchObject([{ state: 'running', restarts: 1 }]);
  await end();
  expect(isAlive(pidOf(runs('steady')[1]))).toBe(false);
  expect(log.lines.filter((line) => line.startsWith('warn helpers.unrecorded')).length).toBeGreaterThan(0);
});
