import { KernelError } from '@pp/base';
import type { Op } from '@pp/datapath';
import type { Context } from './context';
import type { Outcomes } from './outcomes';
import type { Step } from './runs';

type NetnsOp = Extract<Op, { do: 'netns.add' | 'netns.del' }>;

interface Space {
  readonly step: Step;
  readonly op: NetnsOp;
  readonly fd: number;
}

/** Namespaces that get their names in one run. Links are put into them by descriptor, so that naming need not come first. */
export class Spaces {
  readonly #context: Context;
  readonly #open: ReadonlyMap<string, Space>;
  readonly #unnamed = new Set<string>();

  /** Opens them in order, until one is refused. */
  constructor(context: Context, steps: readonly Step[], outcomes: Outcomes) {
    this.#context = context;
    const open = new Map<string, Space>();
    for (const step of steps) {
      const { op } = step;
      if (op.do !== 'netns.add' || outcomes.isRefused) continue;
      for (const fd of outcomes.try(step, () => openOnce(context, open, op)))
        open.set(op.netns.name, { step, op, fd });
    }
    this.#open = open;
  }

  fdOf(name: string): number | null {
    return this.#open.get(name)?.fd ?? null;
  }

  /** Names them in order, until one is refused. */
  name(outcomes: Outcomes): void {
    for (const [name, { step, fd }] of this.#open) {
      if (this.#unnamed.size === 0) {
        outcomes.do(step, () => {
          this.#context.netns.name(fd, name);
        });
      }
      if (this.#unnamed.size > 0 || outcomes.refused(step.at)) this.#unnamed.add(name);
    }
  }

  /** It was to be named here, and was not. */
  isUnnamed(name: string): boolean {
    return this.#unnamed.has(name);
  }

  /** Once. A namespace that has got a name, or a link's peer that somebody holds, lives on. */
  close(): void {
    for (const { fd } of this.#open.values()) this.#context.native.closeFd(fd);
  }
}

function openOnce({ netns }: Context, open: ReadonlyMap<string, Space>, op: NetnsOp): number {
  if (open.has(op.netns.name)) throw new KernelError('EEXIST', `netns.add ${op.netns.name}`);
  return netns.source(op.netns);
}
