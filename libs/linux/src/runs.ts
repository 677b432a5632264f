import type { Op } from '@pp/datapath';

/** A step and its place among those asked for. */
export interface Step {
  readonly at: number;
  readonly op: Op;
}

/**
 * Consecutive steps that go to the kernel together.
 * - unname, delete: one after the other, and all at once
 * - build: namespaces are named, links made, sysctls written, all else set, in this order; each may be missing. Elements for links that
 *   are made in it come last
 * - load, elements: one step
 */
export interface Run {
  readonly kind: 'unname' | 'delete' | 'build' | 'load' | 'elements';
  readonly steps: readonly Step[];
}

/** Each link in the making holds two descriptors of its namespace, a socket there, and a thread. */
const MAX_MADE = 16;

/** Cuts steps into as few runs as keep their order. */
export function runsOf(ops: readonly Op[]): readonly Run[] {
  const runs: { kind: Run['kind']; stage: number; steps: Step[] }[] = []; // BOUNDED: by `ops`
  ops.forEach((op, at) => {
    const { kind, stage } = placeOf(op);
    const last = runs.at(-1);
    if (last !== undefined && isOfNewLinks(op, last.steps)) {
      last.stage = ALONE;
      last.steps.push({ at, op });
      return;
    }
    const isFull = (op.do === 'netns.add' || op.do === 'link.add') && countOf(op, last?.steps) === MAX_MADE;
    if (last?.kind === kind && stage >= last.stage && !isFull) {
      last.stage = stage;
      last.steps.push({ at, op });
    } else {
      runs.push({ kind, stage, steps: [{ at, op }] });
    }
  });
  return runs.map(({ kind, steps }) => ({ kind, steps }));
}

const countOf = ({ do: verb }: Op, steps: readonly Step[] = []): number =>
  steps.filter(({ op }) => op.do === verb).length;

/** Elements that come with new links, where nothing changes for what was there: they need not wait until the links are complete. */
const isOfNewLinks = (op: Op, steps: readonly Step[]): boolean =>
  op.do === 'nft.elements' &&
  op.del.length === 0 &&
  steps.some((step) => step.op.do === 'link.add') &&
  steps.every((step) => BRINGS.has(step.op.do));

const BRINGS: ReadonlySet<Op['do']> = new Set([
  'netns.add',
  'link.add',
  'sysctl.set',
  'address.add',
  'route.add',
]);

/** `stage` never falls within a run; ALONE joins nothing. */
function placeOf(op: Op): { readonly kind: Run['kind']; readonly stage: number } {
  switch (op.do) {
    case 'netns.del':
      return { kind: 'unname', stage: 0 };
    case 'link.del':
      return { kind: 'delete', stage: 0 };
    case 'netns.add':
      return { kind: 'build', stage: 0 };
    case 'link.add':
      return { kind: 'build', stage: 1 };
    case 'sysctl.set':
      return { kind: 'build', stage: 2 };
    case 'link.set':
    case 'address.add':
    case 'address.del':
    case 'route.add':
    case 'route.del':
    case 'rule.add':
    case 'rule.del':
      return { kind: 'build', stage: 3 };
    case 'nft.load':
      return { kind: 'load', stage: ALONE };
    case 'nft.elements':
      return { kind: 'elements', stage: ALONE };
  }
}

const ALONE = NaN; // compares with nothing
