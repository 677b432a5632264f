import { causeChain, KernelError, refuse, type Checked, type Logger } from '@pp/base';
import { applyAll, plan, repair, type Kernel, type Op } from '@pp/datapath';
import type { Journal } from '@pp/ports';
import type { Decide } from './domain/decision';
import type { World } from './domain/world';
import { desired, leftovers } from './desired';
import { sysctlWishes } from './sysctls';
import { entriesBetween, type Remembered } from './world-entries';

interface Parts {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly log: Logger;
  readonly world: World;
}

/**
 * The one writer of the world. One change at a time: decide (pure), journal, let the kernel follow, and only then answer. When the
 * kernel refuses, what was done is undone, the old world stays, and the journal says so.
 */
export class Reconciler {
  readonly #kernel: Kernel;
  readonly #journal: Journal;
  readonly #log: Logger;
  #world: World;
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ kernel, journal, log, world }: Parts) {
    this.#kernel = kernel;
    this.#journal = journal;
    this.#log = log;
    this.#world = world;
  }

  get world(): World {
    return this.#world;
  }

  /** Queues a change. `what` names it in the log: "namespace.connect". */
  submit<Reply>(what: string, decide: Decide<Reply>): Promise<Checked<Reply>> {
    const result = this.#tail.then(() => this.#change(what, decide));
    this.#tail = result.catch(() => undefined); // the submitter sees it
    return result;
  }

  /**
   * Makes the kernel what the current world says, whatever it holds now: at start, and after an undo that failed. `former` tells
   * what earlier runs may have left behind.
   */
  async repair(former: Remembered): Promise<void> {
    this.#world = await this.#withOriginals(this.#world);
    const want = desired(this.#world);
    const stale = leftovers(former, this.#world);
    const observed = await this.#kernel.observe({
      netns: stale.netns.map(({ name }) => name),
      sysctls: [...new Set([...former.written.keys(), ...want.sysctls.keys()])],
    });
    const ops = repair({ observed, want, stale, written: former.written, originals: this.#world.originals });
    this.#logOps('repair', ops);
    await applyAll(this.#kernel, ops);
  }

  async #change<Reply>(what: string, decide: Decide<Reply>): Promise<Checked<Reply>> {
    const from = this.#world;
    const decision = decide(from);
    if (!decision.ok) return decision;
    const to = await this.#withOriginals(decision.value.world);
    const ops = plan(desired(from), desired(to), to.originals);
    if (to !== from) this.#journal.begin(entriesBetween(from, to));
    this.#logOps(what, ops);
    try {
      await applyAll(this.#kernel, ops);
    } catch (fault) {
      return this.#giveUp(what, from, to, fault);
    }
    if (to !== from) this.#journal.commit();
    this.#world = to;
    return { ok: true, value: decision.value.reply };
  }

  #giveUp(what: string, from: World, to: World, fault: unknown): Checked<never> {
    const cause = fault instanceof AggregateError ? fault.cause : fault;
    if (!(cause instanceof KernelError)) throw fault; // a bug: the supervisor starts us clean, and the journal tells what was meant
    this.#log.warn('change.refused', { what, cause: causeChain(fault) });
    this.#journal.begin(entriesBetween(to, from));
    this.#journal.commit();
    return refuse(cause.code === 'EEXIST' ? 'AlreadyExists' : 'Failed', `the kernel refused ${cause.message}; nothing was changed`);
  }

  /** Reads the value of each sysctl of interest that was never read, before anything is written. */
  async #withOriginals(world: World): Promise<World> {
    const wishes = sysctlWishes(world).map(({ key }) => key);
    const unread = wishes.filter((key) => !world.originals.has(key));
    const gone = [...world.originals.keys()].filter((key) => !wishes.includes(key));
    if (unread.length + gone.length === 0) return world;
    const { sysctls } = await this.#kernel.observe({ netns: [], sysctls: unread });
    const originals = new Map(world.originals);
    for (const key of unread) originals.set(key, sysctls.get(key) ?? null);
    return { ...world, originals };
  }

  #logOps(what: string, ops: readonly Op[]): void {
    this.#log.debug('change', { what, steps: ops.length });
  }
}
