import { KernelError, type Errno } from '@pp/base';
import { alreadyTrue, applyAll, applyMost } from './apply';
import { describe as describeOp } from './describe';
import type { Kernel, Observed, Outcome } from './kernel';
import type { Op } from './op';

const netns = (name: string): Op => ({ do: 'netns.add', netns: { name, from: null } });
const noNetns = (name: string): Op => ({ do: 'netns.del', netns: { name, from: null } });
const address: Op = { do: 'address.add', address: { ifname: 'arc_ns0', cidr: '10.0.0.1/30' } };
const guest = (ifname: string): { readonly set: string; readonly key: readonly string[] } => ({
  set: 'guests',
  key: [ifname],
});
const deny = (...names: readonly string[]): Op => ({ do: 'nft.elements', add: [], del: names.map(guest) });

/** Answers as scripted, by the step's words; what is not in the script is done. Skips behind a refusal. */
class ScriptedKernel implements Kernel {
  readonly attempted: string[] = [];
  readonly #refusals: ReadonlyMap<string, Errno>;

  constructor(refusals: Readonly<Record<string, Errno>>) {
    this.#refusals = new Map(Object.entries(refusals));
  }

  apply(ops: readonly Op[]): Promise<readonly Outcome[]> {
    let isRefused = false;
    const outcomes = ops.map((op): Outcome => {
      if (isRefused) return 'skipped';
      const request = describeOp(op);
      this.attempted.push(request);
      const code = this.#refusals.get(request);
      isRefused = code !== undefined;
      return code === undefined ? 'done' : new KernelError(code, request);
    });
    return Promise.resolve(outcomes);
  }

  observe(): Promise<Observed> {
    return Promise.reject(new Error('nobody asks'));
  }
}

async function outcome(task: Promise<void>): Promise<string> {
  try {
    await task;
    return 'done';
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    const faults = error.errors.map((fault: unknown) => (fault instanceof Error ? fault.message : ''));
    const isCause = error.cause === error.errors[0];
    return [error.message, ...faults, isCause ? 'caused by the first' : ''].join(' | ');
  }
}

const rows: readonly {
  readonly name: string;
  readonly ops: readonly Op[];
  readonly refusals: Readonly<Record<string, Errno>>;
  readonly want: string;
  readonly attempted: readonly string[];
}[] = [
  { name: 'no steps', ops: [], refusals: {}, want: 'done', attempted: [] },
  {
    name: 'all is done',
    ops: [netns('a'), netns('b')],
    refusals: {},
    want: 'done',
    attempted: ['netns.add a', 'netns.add b'],
  },
  {
    name: 'a refusal undoes what was done, in reverse',
    ops: [netns('a'), netns('b'), address, netns('c')],
    refusals: { 'address.add 10.0.0.1/30 dev arc_ns0': 'ENODEV' },
    want: 'address.add 10.0.0.1/30 dev arc_ns0 failed; 2 other steps undone | address.add 10.0.0.1/30 dev arc_ns0: ENODEV | caused by the first',
    attempted: [
      'netns.add a',
      'netns.add b',
      'address.add 10.0.0.1/30 dev arc_ns0',
      'netns.del b',
      'netns.del a',
    ],
  },
  {
    name: 'every fault of the undo is told, and the undo goes on',
    ops: [netns('a'), netns('b'), netns('c')],
    refusals: { 'netns.add c': 'EEXIST', 'netns.del b': 'EBUSY' },
    want: 'netns.add c failed; 2 other steps undone | netns.add c: EEXIST | netns.del b: EBUSY | caused by the first',
    attempted: ['netns.add a', 'netns.add b', 'netns.add c', 'netns.del b', 'netns.del a'],
  },
  {
    name: 'a delete of the absent is excused, what was skipped behind it is done',
    ops: [netns('a'), noNetns('gone'), netns('b')],
    refusals: { 'netns.del gone': 'ENOENT' },
    want: 'done',
    attempted: ['netns.add a', 'netns.del gone', 'netns.add b'],
  },
  {
    name: 'what was excused is not undone',
    ops: [noNetns('gone'), netns('b')],
    refusals: { 'netns.del gone': 'ENOENT', 'netns.add b': 'EPERM' },
    want: 'netns.add b failed; 0 other steps undone | netns.add b: EPERM | caused by the first',
    attempted: ['netns.del gone', 'netns.add b'],
  },
  {
    name: 'of several elements one is absent: the others are deleted one by one',
    ops: [deny('a', 'b'), netns('c')],
    refusals: {
      'nft.elements del guests { "a" } and 1 more': 'ENOENT',
      'nft.elements del guests { "a" }': 'ENOENT',
    },
    want: 'done',
    attempted: [
      'nft.elements del guests { "a" } and 1 more',
      'nft.elements del guests { "a" }',
      'nft.elements del guests { "b" }',
      'netns.add c',
    ],
  },
];

test.each(rows)('applyAll: $name', async ({ ops, refusals, want, attempted }) => {
  const kernel = new ScriptedKernel(refusals);
  expect(await outcome(applyAll(kernel, ops))).toBe(want);
  expect(kernel.attempted).toEqual(attempted);
});

test('applyMost goes on, undoes nothing, and tells all', async () => {
  const kernel = new ScriptedKernel({
    'netns.add a': 'EPERM',
    'netns.del gone': 'ENOENT',
    'netns.add c': 'EEXIST',
  });
  const ops = [netns('a'), noNetns('gone'), netns('b'), netns('c'), netns('d')];
  expect(await outcome(applyMost(kernel, ops))).toBe(
    '2 of 5 steps failed | netns.add a: EPERM | netns.add c: EEXIST | caused by the first',
  );
  expect(kernel.attempted).toEqual(ops.map(describeOp));
});

test('a door that attempts nothing is a bug', async () => {
  const kernel: Kernel = {
    apply: (ops) => Promise.resolve(ops.map(() => 'skipped' as const)),
    observe: () => Promise.reject(new Error('nobody asks')),
  };
  await expect(applyAll(kernel, [netns('a')])).rejects.toThrow(/broken invariant/);
});

const excuses: readonly {
  readonly name: string;
  readonly op: Op;
  readonly code: Errno;
  readonly want: boolean;
}[] = [
  { name: 'a name that is gone', op: noNetns('a'), code: 'ENOENT', want: true },
  { name: 'a name in use', op: noNetns('a'), code: 'EBUSY', want: false },
  { name: 'an add', op: netns('a'), code: 'ENOENT', want: false },
  { name: 'the table is gone', op: { do: 'nft.load', text: null, was: null }, code: 'ENOENT', want: true },
  {
    name: 'a table that cannot be loaded',
    op: { do: 'nft.load', text: 'x', was: null },
    code: 'ENOENT',
    want: false,
  },
  { name: 'an element is gone', op: deny('a'), code: 'ENOENT', want: true },
  { name: 'several elements', op: deny('a', 'b'), code: 'ENOENT', want: false },
  {
    name: 'an exchange of elements',
    op: { do: 'nft.elements', add: [guest('b')], del: [guest('a')] },
    code: 'ENOENT',
    want: false,
  },
];

test.each(excuses)('excused or not: $name', ({ op, code, want }) => {
  expect(alreadyTrue(op, new KernelError(code, describeOp(op)))).toBe(want);
});
