import { KernelError } from '@pp/base';
import {
  applyMost,
  repair,
  replacedRulesetText,
  rulesetText,
  type Desired,
  type Kernel,
  type Op,
  type SysctlOriginals,
} from '@pp/datapath';
import type { Damage } from './domain/losses';

/** How a repair went; a refusal of the kernel is told, not thrown. */
export interface Mended {
  readonly steps: readonly Op[];
  readonly fault: Error | null;
}

/** Puts back what is missing of what is wanted, as far as the kernel allows. */
export async function mend(
  kernel: Kernel,
  want: Desired,
  originals: SysctlOriginals,
  damage: Damage,
): Promise<Mended> {
  const mended = await attempt(kernel, await stepsFor(kernel, want, originals, damage));
  if (mended.fault === null || damage !== 'table') return mended;
  // What others made of it cannot be loaded over: a chain of ours at another hook, say.
  return attempt(kernel, wholeTable(want, replacedRulesetText));
}

async function attempt(kernel: Kernel, steps: readonly Op[]): Promise<Mended> {
  try {
    await applyMost(kernel, steps);
    return { steps, fault: null };
  } catch (fault) {
    if (!(fault instanceof Error && fault.cause instanceof KernelError)) throw fault;
    return { steps, fault };
  }
}

async function stepsFor(
  kernel: Kernel,
  want: Desired,
  originals: SysctlOriginals,
  damage: Damage,
): Promise<readonly Op[]> {
  if (damage === 'none') return [];
  if (damage === 'table') return wholeTable(want, (shape, elements) => rulesetText(shape, elements, []));
  if (damage === 'new table') return wholeTable(want, replacedRulesetText);
  const netns = [...want.parts.values()].flatMap((part) => part.netns.map(({ name }) => name));
  const observed = await kernel.observe({ netns, sysctls: [...want.sysctls.keys()] });
  const ops = repair({ observed, want, originals, written: new Map() });
  const isOnlyNetwork = damage === 'network' && observed.table && !ops.some((op) => op.do === 'link.add');
  return isOnlyNetwork ? ops.filter((op) => !isOfNewHost(op, want)) : ops;
}

/** A repair knows nothing of the table and of what links were told at their birth, so it does both anew; here they are as they were. */
const isOfNewHost = (op: Op, want: Desired): boolean =>
  op.do === 'nft.load' || (op.do === 'sysctl.set' && !want.sysctls.has(op.sysctl.key));

/** Without a look at the kernel. */
function wholeTable({ shape, parts }: Desired, textOf: typeof replacedRulesetText): readonly Op[] {
  if (shape === null) return [];
  const elements = [...parts.values()].flatMap((part) => part.elements);
  return [{ do: 'nft.load', text: textOf(shape, elements), was: null }];
}
