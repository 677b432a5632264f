import { invariant, KernelError } from '@pp/base';
import { inverse } from './inverse';
import type { Kernel } from './kernel';
import type { Op } from './op';

/** Does all of `ops` or, where the kernel refuses one, undoes in reverse what was done and throws an AggregateError whose cause is the refusal; faults of the undo stand beside it. */
export async function applyAll(kernel: Kernel, ops: readonly Op[]): Promise<void> {
  const { done, faults } = await attempt(kernel, ops, 'stop');
  const [cause] = faults;
  if (cause === undefined) return;
  const undo = await attempt(kernel, done.toReversed().flatMap(inverse), 'go on');
  const sentence = `${cause.request} failed; ${done.length} other steps undone`;
  throw new AggregateError([...faults, ...undo.faults], sentence, { cause });
}

/**
 * Does as much of `ops` as the kernel allows, and then throws an AggregateError of all refusals, if any. For repairs and for the end,
 * where going back helps nobody.
 */
export async function applyMost(kernel: Kernel, ops: readonly Op[]): Promise<void> {
  const { faults } = await attempt(kernel, ops, 'go on');
  if (faults.length > 0) {
    throw new AggregateError(faults, `${faults.length} of ${ops.length} steps failed`, { cause: faults[0] });
  }
}

/** A delete of what is already gone has happened: guests take their links with them. An add is never excused. */
export function alreadyTrue(op: Op, fault: KernelError): boolean {
  const isDelete = op.do.endsWith('.del') || (op.do === 'nft.load' && op.text === null) || isDeleteOfOne(op);
  return isDelete && ABSENT.has(fault.code);
}

/** No such link, no such name or element, no such route, no such address. */
const ABSENT: ReadonlySet<string> = new Set(['ENODEV', 'ENOENT', 'ESRCH', 'EADDRNOTAVAIL']);

interface Attempt {
  readonly done: readonly Op[];
  readonly faults: readonly KernelError[];
}

/** Run by run, until a refusal counts. */
async function attempt(kernel: Kernel, ops: readonly Op[], onFault: 'stop' | 'go on'): Promise<Attempt> {
  const done: Op[] = [];
  const faults: KernelError[] = [];
  for (const run of runsOf(ops)) {
    const { done: more, faults: refusals } = await attemptRun(kernel, run, onFault);
    done.push(...more);
    faults.push(...refusals);
    if (faults.length > 0 && onFault === 'stop') break;
  }
  return { done, faults };
}

/** Hands over all of a run at once, and again what was skipped. */
async function attemptRun(kernel: Kernel, run: readonly Op[], onFault: 'stop' | 'go on'): Promise<Attempt> {
  const done: Op[] = [];
  const faults: KernelError[] = [];
  for (let left = run; left.length > 0 && (faults.length === 0 || onFault === 'go on');) {
    const outcomes = await kernel.apply(left);
    invariant(outcomes.length === left.length, `one outcome per step: ${outcomes.length} of ${left.length}`);
    invariant(
      outcomes.some((outcome) => outcome !== 'skipped'),
      'the kernel door attempts at least one step',
    );
    const again: Op[] = [];
    for (const [i, op] of left.entries()) {
      const outcome = outcomes[i];
      if (outcome === 'done') done.push(op);
      else if (!(outcome instanceof KernelError)) again.push(op);
      else if (isDeleteOfMany(op) && ABSENT.has(outcome.code)) again.push(...oneByOne(op));
      else if (!alreadyTrue(op, outcome)) faults.push(outcome);
    }
    left = again;
  }
  return { done, faults };
}

/**
 * Neighbours that may share one batch of the kernel, which goes on behind a refusal: none of them destroys what an earlier one in
 * the run was to release or to deny.
 */
function runsOf(ops: readonly Op[]): readonly (readonly Op[])[] {
  const runs: Op[][] = [];
  for (const op of ops) {
    const run = runs.at(-1);
    if (run?.[0] !== undefined && batchOf(run[0]) === batchOf(op)) run.push(op);
    else runs.push([op]);
  }
  return runs;
}

function batchOf(op: Op): string {
  if (op.do === 'link.set') return 'attachments and attributes';
  if (op.do === 'link.del' && op.link.kind === 'bridge') return 'ends of bridges';
  return /^(link|address|route|rule)\./.test(op.do) ? 'rtnetlink' : op.do;
}

type Elements = Extract<Op, { do: 'nft.elements' }>;

/** All or nothing: one absent element refuses the deletion of all others, so each gets a step of its own. */
const isDeleteOfMany = (op: Op): op is Elements =>
  op.do === 'nft.elements' && op.add.length === 0 && op.del.length > 1;

const isDeleteOfOne = (op: Op): boolean =>
  op.do === 'nft.elements' && op.add.length === 0 && op.del.length === 1;

const oneByOne = ({ del }: Elements): readonly Op[] =>
  del.map((element) => ({ do: 'nft.elements', add: [], del: [element] }));
