import { invariant, KernelError } from '@pp/base';
import { inverse } from './inverse';
import type { Kernel } from './kernel';
import type { Op } from './op';

/** Does all of `ops` or, where the kernel refuses one, undoes in reverse what was done and throws an AggregateError whose cause is the refusal; faults of the undo stand beside it. */
export async function applyAll(kernel: Kernel, ops: readonly Op[]): Promise<void> {
  const { done, faults } = await attempt(kernel, ops, 'stop');
  const cause = faults[0];
  if (cause === undefined) return;
  const undo = await attempt(kernel, done.toReversed().flatMap(inverse), 'go on');
  const sentence = `${cause.request} failed; ${done.length} other steps undone`;
  throw new AggregateError([...faults, ...undo.faults], sentence, { cause });
}

/**
 * Does as much of `ops` as the kernel allows, and then throws StepsRefused, if any was. For repairs and for the end,
 * where going back helps nobody.
 */
export async function applyMost(kernel: Kernel, ops: readonly Op[]): Promise<void> {
  const { faults, refused } = await attempt(kernel, ops, 'go on');
  if (faults.length > 0) throw new StepsRefused(refused, faults, ops.length);
}

/** The kernel refused these of many steps, and the others are done; the first refusal is the cause. */
export class StepsRefused extends AggregateError {
  override readonly name = 'StepsRefused';

  constructor(
    readonly steps: readonly Op[],
    faults: readonly KernelError[],
    total: number,
  ) {
    super(faults, `${faults.length} of ${total} steps failed`, { cause: faults[0] });
  }
}

/** A delete of what is already gone has happened: guests take their links with them. So has the restoring of a key that went with its link. An add is never excused. */
export function alreadyTrue(op: Op, fault: KernelError): boolean {
  const isDelete =
    op.do.endsWith('.del') ||
    (op.do === 'nft.load' && op.text === null) ||
    isDeleteOfOne(op) ||
    isRestore(op);
  return isDelete && ABSENT.has(fault.code);
}

/** No such link, no such name or element, no such route, no such address. */
const ABSENT: ReadonlySet<string> = new Set(['ENODEV', 'ENOENT', 'ESRCH', 'EADDRNOTAVAIL']);

interface Attempt {
  readonly done: readonly Op[];
  /** In the order of `faults`. */
  readonly refused: readonly Op[];
  readonly faults: readonly KernelError[];
}

/** Hands over all at once, and again what was skipped, until nothing is left or a refusal counts. */
async function attempt(kernel: Kernel, ops: readonly Op[], onFault: 'stop' | 'go on'): Promise<Attempt> {
  const done: Op[] = [];
  const refused: Op[] = [];
  const faults: KernelError[] = [];
  for (let left = ops; left.length > 0 && (faults.length === 0 || onFault === 'go on');) {
    const outcomes = await kernel.apply(left);
    invariant(outcomes.length === left.length, `one outcome per step: ${outcomes.length} of ${left.length}`);
    const isTried = outcomes.some((outcome) => outcome !== 'skipped');
    invariant(isTried, 'the kernel door attempts at least one step');
    const again: Op[] = [];
    for (let i = 0; i < left.length; i++) {
      const op = left[i] as Op;
      const outcome = outcomes[i];
      if (outcome === 'done') done.push(op);
      else if (!(outcome instanceof KernelError)) again.push(op);
      else if (isDeleteOfMany(op) && ABSENT.has(outcome.code)) again.push(...oneByOne(op));
      else if (!alreadyTrue(op, outcome)) {
        refused.push(op);
        faults.push(outcome);
      }
    }
    left = again;
  }
  return { done, refused, faults };
}

type Elements = Extract<Op, { do: 'nft.elements' }>;

/** All or nothing: one absent element refuses the deletion of all others, so each gets a step of its own. */
const isDeleteOfMany = (op: Op): op is Elements =>
  op.do === 'nft.elements' && op.add.length === 0 && op.del.length > 1;

const isRestore = (op: Op): boolean => op.do === 'sysctl.set' && op.onlyIf !== null;

const isDeleteOfOne = (op: Op): boolean =>
  op.do === 'nft.elements' && op.add.length === 0 && op.del.length === 1;

const oneByOne = ({ del }: Elements): readonly Op[] =>
  del.map((element) => ({ do: 'nft.elements', add: [], del: [element] }));
