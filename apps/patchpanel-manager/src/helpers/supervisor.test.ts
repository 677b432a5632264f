import { deferred, seconds, type Deferred } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { HelperProcess, HelperProcesses, HelperRecord } from './helper-processes';
import { Supervisor } from './supervisor';

interface FakeProcess {
  readonly name: string;
  readonly pid: number;
  readonly end: Deferred<string>;
  readonly signals: string[];
}

/** Programs `a` and `b`; every process ends when the test says so, or with the signals of `obeys`. */
class FakeProcesses implements HelperProcesses {
  records: readonly HelperRecord[] = [];
  /** In order of their start. */
  readonly started: FakeProcess[] = [];
  /** Pids of those that were told to run their program. */
  readonly begun: number[] = [];
  obeys: readonly string[] = ['SIGTERM', 'SIGKILL'];
  /** From an earlier run, by pid. */
  readonly leftovers = new Map<number, FakeProcess>();

  isThere(name: string): boolean {
    return name !== 'absent';
  }

  start(name: string): HelperProcess {
    const process = this.make(name, 100 + this.started.length);
    this.started.push(process);
    return this.#door(process);
  }

  find({ pid }: HelperRecord): HelperProcess | null {
    const process = this.leftovers.get(pid);
    return process === undefined ? null : this.#door(process);
  }

  load(): readonly HelperRecord[] {
    return this.records;
  }

  save(records: readonly HelperRecord[]): void {
    this.records = records;
  }

  make(name: string, pid: number): FakeProcess {
    return { name, pid, end: deferred<string>(), signals: [] };
  }

  #door(process: FakeProcess): HelperProcess {
    return {
      pid: process.pid,
      startTime: `born ${process.pid}`,
      ended: process.end.promise,
      begin: () => {
        expect(this.records.map(({ pid }) => pid)).toContain(process.pid);
        this.begun.push(process.pid);
      },
      kill: (signal) => {
        process.signals.push(signal);
        if (this.obeys.includes(signal)) process.end.resolve(signal);
      },
    };
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function running(
  names: readonly string[],
  processes = new FakeProcesses(),
  { hasWork = (): boolean => true, otherOne = (): number | null => null } = {},
) {
  const [clock, log, stop] = [new VirtualClock(), new MemoryLog(), new AbortController()];
  const supervisor = new Supervisor({ processes, clock, log, names, hasWork, otherOne });
  let isOver = false;
  const over = supervisor.run(stop.signal).then(() => (isOver = true));
  await settled();
  const end = async (how: string): Promise<void> => {
    processes.started.at(-1)?.end.resolve(how);
    await settled();
  };
  return { processes, clock, log, stop, supervisor, over, isOver: () => isOver, end };
}

test('all that are there are started, and written down', async () => {
  const { processes, supervisor } = await running(['a', 'absent', 'b']);
  expect(processes.started.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(processes.begun).toEqual([100, 101]);
  expect(processes.records).toEqual([
    { name: 'a', pid: 100, startTime: 'born 100' },
    { name: 'b', pid: 101, startTime: 'born 101' },
  ]);
  expect(supervisor.status.map(({ name, state, pid }) => `${name} ${state} ${pid ?? '-'}`)).toEqual([
    'a running 100',
    'absent absent -',
    'b running 101',
  ]);
});

test('one that ends at once is started again after 0.2 s, doubling to 30 s, for ever, with one line in the log each time', async () => {
  const { processes, clock, log, supervisor, end } = await running(['a']);
  const waits = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30];
  for (const [n, wait] of waits.entries()) {
    await end('exit 1');
    expect(supervisor.status).toEqual([
      { name: 'a', state: 'waiting', pid: null, restarts: n, lastEnd: 'exit 1', other: null },
    ]);
    clock.advance(seconds(wait - 0.001));
    expect(processes.started).toHaveLength(n + 1);
    clock.advance(seconds(0.001));
    expect(processes.started).toHaveLength(n + 2);
  }
  const warnings = log.lines.filter((line) => line.startsWith('warn'));
  expect(warnings).toHaveLength(waits.length);
  expect(warnings[0]).toBe('warn helper.ended name=a end=exit 1 livedMs=0 againInMs=200');
});

test('one without work on this host is said to be idle once, and started within 30 s of getting some', async () => {
  let isIpv6On = false;
  const { processes, clock, log, supervisor, stop, end } = await running(['a'], undefined, {
    hasWork: () => isIpv6On,
  });
  for (let n = 0; n < 10; n++) clock.advance(seconds(30));
  expect(processes.started).toEqual([]);
  const idle = { name: 'a', state: 'idle', pid: null, restarts: 0, lastEnd: null, other: null };
  expect(supervisor.status).toEqual([idle]);
  expect(log.lines).toEqual(['info helper.idle name=a']);
  isIpv6On = true;
  clock.advance(seconds(30));
  expect(processes.started).toHaveLength(1);
  isIpv6On = false;
  await end('exit 1');
  clock.advance(seconds(60));
  expect(supervisor.status).toEqual([{ ...idle, lastEnd: 'exit 1' }]);
  expect([processes.started.length, log.lines.filter((line) => line.includes('idle')).length]).toEqual([
    1, 2,
  ]);
  stop.abort();
  await settled();
  isIpv6On = true;
  clock.advance(seconds(60));
  expect(processes.started).toHaveLength(1);
});

test('while another one has its place it is not started, which is said once of each, and it is within 30 s of its end', async () => {
  let other: number | null = 17;
  const { clock, log, supervisor } = await running(['a'], undefined, { otherOne: () => other });
  for (let n = 0; n < 10; n++) clock.advance(seconds(30));
  const waiting = { name: 'a', state: 'waiting', pid: null, restarts: 0, lastEnd: null, other };
  expect(supervisor.status).toEqual([waiting]);
  other = 18;
  clock.advance(seconds(60));
  expect(log.lines).toEqual(['warn helper.another name=a pid=17', 'warn helper.another name=a pid=18']);
  other = null;
  clock.advance(seconds(30));
  expect(supervisor.status).toMatchObject([{ state: 'running', restarts: 0, other: null }]);
});

test('one that lived for a minute is started again at once', async () => {
  const { processes, clock, end } = await running(['a']);
  for (let n = 0; n < 5; n++) {
    await end('SIGSEGV');
    clock.advance(seconds(30));
  }
  clock.advance(seconds(60));
  await end('SIGSEGV');
  clock.advance(seconds(0.2));
  expect(processes.started).toHaveLength(7);
});

test('stopping ends what runs and starts nothing any more', async () => {
  const { processes, clock, stop, end, isOver } = await running(['b', 'a']);
  await end('exit 1');
  stop.abort();
  await settled();
  clock.advance(seconds(60));
  expect([processes.started.map(({ signals }) => signals), isOver()]).toEqual([[['SIGTERM'], []], true]);
  expect(processes.records).toEqual([]);
});

test('one that does not end on SIGTERM is killed after 5 s', async () => {
  const { processes, clock, stop, isOver } = await running(['a']);
  processes.obeys = ['SIGKILL'];
  stop.abort();
  await settled();
  clock.advance(seconds(4.9));
  await settled();
  expect([processes.started[0]?.signals, isOver()]).toEqual([['SIGTERM'], false]);
  clock.advance(seconds(0.1));
  await settled();
  expect([processes.started[0]?.signals, isOver()]).toEqual([['SIGTERM', 'SIGKILL'], true]);
});

test('what cannot even be killed does not hold up the stop', async () => {
  const { processes, clock, stop, over, log } = await running(['a']);
  processes.obeys = [];
  stop.abort();
  await settled();
  clock.advance(seconds(5));
  await settled();
  clock.advance(seconds(2));
  await over;
  expect(log.lines.at(-1)).toBe('error helper.unkillable name=a pid=100');
});

test.each([{ names: ['a'] }, { names: [] }])(
  'what a killed manager left is ended before anything is started: $names',
  async ({ names }) => {
    const processes = new FakeProcesses();
    const left = processes.make('a', 7);
    processes.leftovers.set(7, left);
    processes.records = [
      { name: 'a', pid: 7, startTime: 'born 7' },
      { name: 'b', pid: 8, startTime: 'born 8' },
    ];
    processes.obeys = [];
    await running(names, processes);
    expect([left.signals, processes.started]).toEqual([['SIGTERM'], []]);
    left.end.resolve('exit 0');
    await settled();
    expect(processes.started.map(({ name }) => name)).toEqual(names);
  },
);
