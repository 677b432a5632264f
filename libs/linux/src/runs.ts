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

/** Each link in the making holds two descriptors of its namespace. */
const MAX_MADE = 16;

/** A run that steps may still join. */
interface OpenRun extends Run {
  readonly steps: Step[];
  /** Never falls within a run. */
  stage: number;
  /** Namespaces and links in it. */
  spaces: number;
  links: number;
  /** Nothing in it changes for what was there. */
  isNew: boolean;
}

/** Cuts steps into as few runs as keep their order. */
export function runsOf(ops: readonly Op[]): readonly Run[] {
  const runs: OpenRun[] = []; // BOUNDED: by `ops`
  let last: OpenRun | undefined;
  ops.forEach((op, at) => {
    const { kind, stage } = PLACES[op.do];
    if (last === undefined || !canJoin(op, last)) {
      last = { kind, stage, steps: [], spaces: 0, links: 0, isNew: true };
      runs.push(last);
    }
    last.stage = stage;
    last.steps.push({ at, op });
    if (op.do === 'netns.add') last.spaces += 1;
    if (op.do === 'link.add') last.links += 1;
    last.isNew &&= BRINGS.has(op.do);
  });
  return runs;
}

function canJoin(op: Op, { kind, stage, spaces, links, isNew }: OpenRun): boolean {
  // Elements that come with new links need not wait until these are complete.
  if (op.do === 'nft.elements') return isNew && links > 0 && op.del.length === 0;
  if ((op.do === 'netns.add' && spaces === MAX_MADE) || (op.do === 'link.add' && links === MAX_MADE))
    return false;
  const place = PLACES[op.do];
  return place.kind === kind && place.stage >= stage;
}

const BRINGS: ReadonlySet<Op['do']> = new Set([
  'netns.add',
  'link.add',
  'sysctl.set',
  'address.add',
  'route.add',
]);

const ALONE = NaN; // compares with nothing: it joins nothing, and nothing joins it

const PLACES: Readonly<Record<Op['do'], { readonly kind: Run['kind']; readonly stage: number }>> = {
  'netns.del': { kind: 'unname', stage: 0 },
  'link.del': { kind: 'delete', stage: 0 },
  'netns.add': { kind: 'build', stage: 0 },
  'link.add': { kind: 'build', stage: 1 },
  'sysctl.set': { kind: 'build', stage: 2 },
  'link.set': { kind: 'build', stage: 3 },
  'address.add': { kind: 'build', stage: 3 },
  'address.del': { kind: 'build', stage: 3 },
  'route.add': { kind: 'build', stage: 3 },
  'route.del': { kind: 'build', stage: 3 },
  'rule.add': { kind: 'build', stage: 3 },
  'rule.del': { kind: 'build', stage: 3 },
  'nft.load': { kind: 'load', stage: ALONE },
  'nft.elements': { kind: 'elements', stage: ALONE },
};
