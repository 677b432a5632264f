/** What becomes of each part of a job, with a worker whose kernel is a script. */
import { KernelError } from '@pp/base';
import { NativeError, type NetlinkWorkerOptions, type WorkerStep } from '@pp/native';
import { decodeMessages } from './codec/message';
import type { NetlinkMessage } from './codec/message';
import { readU8 } from './codec/numbers';
import { NetlinkJobs, type JobPart, type JobResult } from './jobs';
import type { NetlinkRequest } from './request';
import { part, refusalOf } from './testing';

const ASK = 18;
const TOLD = 16;

/** A request of one byte: odd ones are refused, even ones told. */
const ask = (byte: number): NetlinkRequest => ({
  label: () => `ask ${byte}`,
  type: ASK,
  flags: 0,
  body: Uint8Array.of(byte),
});
const answer = (request: NetlinkMessage): readonly Uint8Array[] => {
  const byte = readU8(request.body, 0);
  return byte % 2 === 1
    ? [refusalOf(request, 19, { text: 'odd' })]
    : [part(request, TOLD, Uint8Array.of(byte))];
};

type Report = Parameters<NetlinkWorkerOptions['onDone']>;

/** As worker.c does them; a file named "none" is a fault, and a TAP named "taken". */
function doSteps(steps: readonly WorkerStep[]): Report {
  const answers: Uint8Array[] = [];
  for (const [done, step] of steps.entries()) {
    if ('file' in step && step.file === 'none')
      return [Buffer.concat(answers), done, { code: 'ENOENT', message: 'no file' } as never];
    if ('tap' in step && step.tap.name === 'taken')
      return [Buffer.concat(answers), done, { code: 'EBUSY', message: 'TUNSETIFF' } as never];
    if (!('datagram' in step)) continue;
    const all = decodeMessages(step.datagram);
    answers.push(...all.flatMap(answer));
    if (!step.mayFail && all.some(({ body }) => readU8(body, 0) % 2 === 1))
      return [Buffer.concat(answers), done, undefined];
  }
  return [Buffer.concat(answers), steps.length, undefined];
}

const told = (result: JobResult): unknown =>
  result === null
    ? 'not reached'
    : result instanceof KernelError
      ? result.message
      : result.map(({ body }) => readU8(body, 0));

/** It tells of what goes on with a job together with that, from the loop. */
function jobs(worker: (steps: readonly WorkerStep[]) => Report | null): NetlinkJobs {
  return new NetlinkJobs(({ onDone }) => {
    let reports: Report[] = [];
    let cut = false;
    return {
      run: (steps, how) => {
        const report: Report | null = cut ? [new Uint8Array(0), 0, undefined] : worker(steps);
        if (report === null) return;
        reports.push(report);
        const more = how?.more ?? false;
        cut = more && report[1] < steps.length;
        if (more) return;
        const all = reports;
        reports = [];
        queueMicrotask(() => {
          for (const each of all) onDone(...each);
        });
      },
      close: () => undefined,
    };
  });
}

const home = (...bytes: number[]): JobPart => ({ requests: bytes.map(ask), netnsFd: null });
const file = (name: string): JobPart => ({ file: name, value: '1', label: () => `write ${name}` });

const tap = (name: string): JobPart => ({ tap: { name, ifindex: 7 }, label: () => `tap ${name}` });

const ROWS: readonly { name: string; in: readonly JobPart[]; want: unknown }[] = [
  { name: 'nothing', in: [], want: [] },
  { name: 'a part without requests', in: [home(), home(2)], want: [[], [[2]]] },
  { name: 'all well', in: [home(2, 4), file('a'), home(6)], want: [[[2], [4]], [[]], [[6]]] },
  {
    name: 'a refusal: its part goes on, the job does not',
    in: [home(2), home(3, 4), file('a'), home(6)],
    want: [[[2]], ['ask 3: ENODEV (odd)', [4]], ['not reached'], ['not reached']],
  },
  {
    name: 'a refusal that may be',
    in: [{ requests: [ask(3)], netnsFd: null, mayFail: true }, home(2)],
    want: [['ask 3: ENODEV (odd)'], [[2]]],
  },
  {
    name: 'TAPs that are kept',
    in: [tap('tap0'), home(2), { keepTaps: true, label: () => 'keep' }],
    want: [[[]], [[2]], [[]]],
  },
  {
    name: 'a TAP whose name is taken',
    in: [tap('taken'), home(2), { keepTaps: true, label: () => 'keep' }],
    want: [['tap taken: EBUSY (TUNSETIFF)'], ['not reached'], ['not reached']],
  },
  {
    name: 'a fault',
    in: [home(2), file('none'), home(4)],
    want: [[[2]], ['write none: ENOENT (no file)'], ['not reached']],
  },
  {
    name: 'more than one datagram holds',
    in: [home(...new Array<number>(65).fill(2), 3), home(4)],
    want: [[...new Array<number[]>(65).fill([2]), 'ask 3: ENODEV (odd)'], ['not reached']],
  },
];

describe.each(ROWS)('$name', ({ in: parts, want }) => {
  const cuts = Array.from({ length: parts.length + 1 }, (_, at) => at);
  test.each(cuts)('begun with %i of its parts', async (at) => {
    const results = await jobs(doSteps).run(parts.slice(0, at), () => parts.slice(at));
    expect(results.map((part) => part.map(told))).toEqual(want);
  });
});

test('one after the other, each hears what is its own', async () => {
  const all = jobs(doSteps);
  const results = await Promise.all([
    all.run([home(2)], () => [home(4)]),
    all.run([home(3)], () => [home(4)]),
    all.run([home(6)]),
  ]);
  expect(results.map((result) => result.map((part) => part.map(told)))).toEqual([
    [[[2]], [[4]]],
    [['ask 3: ENODEV (odd)'], ['not reached']],
    [[[6]]],
  ]);
});

test('what cannot be sent ends what was begun', async () => {
  const all = jobs((steps) => {
    if (steps.some((step) => 'file' in step && step.file === 'bad')) throw new Error('no descriptor');
    return doSteps(steps);
  });
  await expect(all.run([home(2)], () => [file('bad')])).rejects.toThrow('no descriptor');
  const nothing = all.run([home(3)], () => {
    throw new Error('no words');
  });
  await expect(nothing).rejects.toThrow('no words');
  expect((await all.run([home(4)])).map((part) => part.map(told))).toEqual([[[4]]]);
});

test.each([0, 1])('what the worker cannot be given is refused, begun with %i of its parts', async (at) => {
  const all = jobs((steps) => {
    if (steps.some((step) => 'file' in step)) throw new NativeError('EMFILE', 'dup');
    return doSteps(steps);
  });
  const parts = [home(2), file('a'), home(4)];
  const begun = at === 0 ? ['ask 2: EMFILE (dup: EMFILE)'] : [[2]];
  const next = at === 0 ? 'not reached' : 'write a: EMFILE (dup: EMFILE)';
  const results = await all.run(parts.slice(0, at), () => parts.slice(at));
  expect(results.map((part) => part.map(told))).toEqual([begun, [next], ['not reached']]);
  expect((await all.run([home(4)])).map((part) => part.map(told))).toEqual([[[4]]]);
});

test('answers that cannot be read are the fault of the step that was not done', async () => {
  const results = await jobs(() => [Uint8Array.of(1, 2, 3), 0, undefined]).run([home(2), home(4)]);
  expect(results.map((part) => part.map(told))).toEqual([
    ['ask 2: EBADMSG (3 bytes after the last message)'],
    ['not reached'],
  ]);
});

test('whoever waits when it is closed, or comes later, is told', async () => {
  const all = jobs(() => null);
  const waiting = all.run([home(2)]);
  all.close();
  const closed = [['ask 2: ECANCELED (netlink worker closed)']];
  expect((await waiting).map((part) => part.map(told))).toEqual(closed);
  expect((await all.run([home(2)])).map((part) => part.map(told))).toEqual(closed);
});
