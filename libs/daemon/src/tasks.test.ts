import { causeChain, deferred, type Task } from '@pp/base';
import { runTasks } from './tasks';

interface Scripted extends Task {
  readonly settle: { ready(): void; unready(fault: Error): void; end(): void; fail(fault: Error): void };
  readonly ended: () => boolean;
}

/** A task that does what the test says, and ends on abort. */
function scripted(name: string): Scripted {
  const ready = deferred<undefined>();
  const run = deferred<undefined>();
  let ended = false;
  return {
    name,
    ready: ready.promise,
    run: async (signal) => {
      signal.addEventListener('abort', () => {
        run.resolve(undefined);
      });
      await run.promise;
      ended = true;
    },
    settle: {
      ready: () => {
        ready.resolve(undefined);
      },
      unready: (fault) => {
        ready.reject(fault);
      },
      end: () => {
        run.resolve(undefined);
      },
      fail: (fault) => {
        run.reject(fault);
      },
    },
    ended: () => ended,
  };
}

/** How a run of the tasks ended: nothing, or the cause chain. */
const outcome = (run: Promise<void>): Promise<string> => run.then(() => 'clean', causeChain);

const QUIET = { onReady: () => undefined, onStopping: () => undefined };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('told to stop before they begin, none of them is run', async () => {
  const task = scripted('late');
  expect(await outcome(runTasks([task], AbortSignal.abort(), QUIET))).toBe('clean');
  expect(task.ended()).toBe(false);
});

test('ready when all are, once', async () => {
  const [a, b] = [scripted('a'), scripted('b')];
  const stop = new AbortController();
  let calls = 0;
  const run = outcome(runTasks([a, b], stop.signal, { onReady: () => calls++, onStopping: () => undefined }));
  a.settle.ready();
  await turn();
  expect(calls).toBe(0);
  b.settle.ready();
  await turn();
  expect(calls).toBe(1);
  stop.abort();
  expect(await run).toBe('clean');
});

test('not ready any more once it stops', async () => {
  const a = scripted('a');
  const stop = new AbortController();
  let calls = 0;
  const run = outcome(runTasks([a], stop.signal, { onReady: () => calls++, onStopping: () => undefined }));
  stop.abort();
  a.settle.ready();
  expect(await run).toBe('clean');
  expect(calls).toBe(0);
});

describe('the first fault stops all', () => {
  const rows: { name: string; break: (task: Scripted) => void; want: string }[] = [
    {
      name: 'run rejects',
      break: (task) => {
        task.settle.fail(new Error('EPERM'));
      },
      want: 'a: EPERM',
    },
    {
      name: 'run ends by itself',
      break: (task) => {
        task.settle.end();
      },
      want: 'a: ended early',
    },
    {
      name: 'ready rejects',
      break: (task) => {
        task.settle.unready(new Error('no bus'));
      },
      want: 'a: no bus',
    },
  ];
  test.each(rows)('$name', async ({ break: breakIt, want }) => {
    const [a, b] = [scripted('a'), scripted('b')];
    let stops = 0;
    const run = outcome(
      runTasks([a, b], new AbortController().signal, { onReady: () => undefined, onStopping: () => stops++ }),
    );
    breakIt(a);
    expect(await run).toBe(want);
    expect(stops).toBe(1);
    expect(b.ended()).toBe(true);
  });
});

test('two faults are both told', async () => {
  const [a, b] = [scripted('a'), scripted('b')];
  const run = outcome(runTasks([a, b], new AbortController().signal, QUIET));
  a.settle.fail(new Error('one'));
  b.settle.fail(new Error('two'));
  expect(await run).toBe('several parts failed: [a: one; b: two]');
});
