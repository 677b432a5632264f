import {
  causeChain,
  KernelError,
  refuse,
  SharedMap,
  type Checked,
  type Logger,
  type Refusal,
} from '@pp/base';
import {
  applyAll,
  applyMost,
  hostForwarding,
  ifnameOfSysctl,
  NOTHING,
  plan,
  repair,
  StepsRefused,
  sysctlWishes,
  type Desired,
  type Kernel,
  type Op,
} from '@pp/datapath';
import type { Journal } from '@pp/ports';
import type { Decide } from './domain/decision';
import type { DnsRule } from './domain/dns-rules';
import type { Guest } from './domain/guest';
import { emptyWorld, takesAway, withAllGuests, type World } from './domain/world';
import type { Damage } from './domain/losses';
import { DesiredState, netnsNamesOf } from './desired';
import { mend, type Mended } from './mending';
import type { Remembered } from './world-entries';
import { WorldJournal } from './world-journal';

/**
 * Told of every change, in order: what goes, where something does (`takesAway`), before the kernel takes it away; what comes when it is
 * there (spec 1.2). When a change is given up, what was said to go is said to be there again: `arrived(to, from)`.
 */
export interface Observer {
  leaving(from: World, to: World): void;
  arrived(from: World, to: World): void;
}

/** One observer that tells several, in this order. */
export const inTurn = (...observers: readonly Observer[]): Observer => ({
  leaving: (from, to) => {
    for (const observer of observers) observer.leaving(from, to);
  },
  arrived: (from, to) => {
    for (const observer of observers) observer.arrived(from, to);
  },
});

interface Parts {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly log: Logger;
  readonly observer: Observer;
  readonly world: World;
  /** Runs a task when whoever waits for a change has been answered. */
  readonly defer: (task: () => void) => void;
  /** The kernel is not as the world: steps were refused of a change that goes on all the same, or of one that was taken back. */
  readonly onRefused: () => void;
}

/** What a start finds: what is remembered of earlier runs, and what goes on. */
export interface Adoption extends Pick<
  World,
  'pools' | 'uplinks' | 'awaited' | 'foreignTaps' | 'vpnLockdown' | 'foreignRule'
> {
  readonly former: Remembered;
  readonly guests: readonly Guest[];
  readonly dnsRules: ReadonlyMap<string, DnsRule>;
}

/**
 * The one writer of the world. One change at a time: decide (pure), journal, let the kernel follow, and only then answer. When the
 * kernel refuses, what was done is undone, the old world stays, and the journal says so. A fault that is no refusal is thrown to
 * the submitter and told to `broken`: the process must end, and its next start repairs.
 */
export class Reconciler {
  readonly #kernel: Kernel;
  readonly #journal: WorldJournal;
  readonly #log: Logger;
  readonly #observer: Observer;
  readonly #onRefused: () => void;
  readonly #desired = new DesiredState();
  #world: World;
  #isStopped = false;
  #tail: Promise<unknown> = Promise.resolve();
  #break: (fault: unknown) => void = () => undefined;
  /** Settles with the first fault. */
  readonly broken = new Promise<unknown>((resolve) => {
    this.#break = resolve;
  });

  constructor({ kernel, journal, log, observer, world, defer, onRefused }: Parts) {
    this.#kernel = kernel;
    const onFault = (fault: unknown): void => {
      this.#break(fault);
    };
    this.#journal = new WorldJournal({ journal, log, world, defer, onFault });
    this.#log = log;
    this.#observer = observer;
    this.#onRefused = onRefused;
    this.#world = world;
  }

  get world(): World {
    return this.#world;
  }

  /** Queues a change. `what` names it in the log: "namespace.connect". */
  submit<Reply>(what: string, decide: Decide<Reply>): Promise<Checked<Reply>> {
    return this.#queue(() => this.#change(what, decide));
  }

  /** Brings the kernel to the world that goes on, from whatever earlier runs left. Changes submitted meanwhile wait. */
  start(adoption: Adoption): Promise<void> {
    return this.#queue(() => this.#adopt(adoption));
  }

  /** After the changes at hand: what is missing of what is wanted is put back. */
  mend(judge: (want: Desired) => Damage): Promise<Mended> {
    return this.#queue(async () => {
      const want = this.#desired.of(this.#world);
      return mend(this.#kernel, want, this.#world.originals, this.#isStopped ? 'none' : judge(want));
    });
  }

  /**
   * After the changes at hand: `clean` takes everything back and forgets it, `keep` leaves it for the next start. `forwards`: the host goes
   * on forwarding, because others need it.
   */
  stop(mode: 'clean' | 'keep', { forwards }: { readonly forwards: boolean }): Promise<void> {
    return this.#queue(async () => {
      this.#isStopped = true;
      if (mode === 'clean') {
        this.#observer.leaving(this.#world, emptyWorld(this.#world.pools));
        const want = this.#desired.of(this.#world);
        const left = forwards ? hostForwarding(want.sysctls) : [];
        const originals = new Map([...this.#world.originals, ...left]);
        await applyMost(this.#kernel, plan(want, NOTHING, originals));
        this.#journal.forget(this.#world);
      }
      this.#journal.close();
    });
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch((fault: unknown) => {
      this.#break(fault);
    });
    return result;
  }

  async #adopt({ former, guests, dnsRules, ...network }: Adoption): Promise<void> {
    const { originals, nextNamespace, nextDnsRule } = former;
    const rules = { portRules: SharedMap.of(former.portRules), dnsRules: SharedMap.of(dnsRules) };
    const base = { ...this.#world, originals, ...rules, nextNamespace, nextDnsRule };
    const world = await this.#withOriginals(base, withAllGuests({ ...base, ...network }, guests));
    this.#journal.beginStart(former, world);
    await this.#settle(former, world);
    this.#journal.endStart(world);
    this.#world = world;
  }

  /** A link that goes after the look at the kernel has steps refused: then a second look is worth it. */
  async #settle(former: Remembered, world: World): Promise<void> {
    try {
      await this.#repair(former, world);
    } catch (fault) {
      if (!(fault instanceof StepsRefused)) throw fault;
      await this.#repair(former, world).catch((again: unknown) => {
        this.#startWithout(again);
      });
    }
  }

  async #repair({ staleNetns, written, ...former }: Remembered, world: World): Promise<void> {
    const want = this.#desired.of(world);
    const observed = await this.#kernel.observe({
      netns: [...staleNetns, ...[...world.guests.values()].flatMap(netnsNamesOf)],
      sysctls: [...new Set([...written.keys(), ...want.sysctls.keys()])],
    });
    const known = new Map([...former.originals, ...world.originals]);
    const formerPrefixes = former.pools.map(({ cidr }) => cidr);
    const ops = repair({ observed, want, originals: known, written, formerPrefixes });
    this.#log.debug('repair', { steps: ops.length });
    await applyMost(this.#kernel, ops);
  }

  /**
   * A route of the host's that we cannot repeat, or another program's in its place, keeps no guest from all other ways; a table ends in a blackhole.
   * Nor does a link that has gone, nor one into a namespace whose root does not let it in.
   */
  #startWithout(fault: unknown): void {
    if (!(fault instanceof StepsRefused)) throw fault;
    const isBearable = fault.steps.every(
      (step, index) =>
        step.do === 'route.add' || isInGuestsHands(step) || isOfGoneLink(step, fault.errors[index]),
    );
    if (!isBearable) throw fault;
    this.#log.warn('start.incomplete', { cause: causeChain(fault) });
  }

  async #change<Reply>(what: string, decide: Decide<Reply>): Promise<Checked<Reply>> {
    if (this.#isStopped) return refuse('Failed', 'the manager is stopping');
    const from = this.#world;
    const decision = decide(from);
    if (!decision.ok) return decision;
    const { world, reply, goOn = false } = decision.value;
    if (world === from) return { ok: true, value: reply };
    const to = world.uplinks === from.uplinks ? world : await this.#withOriginals(from, world);
    const unwritten = this.#journal.begin(what, to);
    if (unwritten !== null && !goOn) return unwritten;
    if (takesAway(from, to)) this.#observer.leaving(from, to);
    const ops = this.#between(what, from, to);
    try {
      await (goOn ? applyMost : applyAll)(this.#kernel, ops);
    } catch (fault) {
      const refused = this.#refusal(what, fault);
      if (goOn || isHalfUndone(fault)) this.#onRefused();
      if (!goOn) return this.#giveUp(what, from, to, refused);
    }
    this.#journal.commit();
    this.#world = to;
    this.#observer.arrived(from, to);
    return { ok: true, value: reply };
  }

  #between(what: string, from: World, to: World): ReturnType<typeof plan> {
    const originals =
      from.originals === to.originals ? to.originals : new Map([...from.originals, ...to.originals]);
    const ops = plan(this.#desired.of(from), this.#desired.of(to), originals);
    this.#log.debug('change', { what, steps: ops.length });
    return ops;
  }

  /** Logs what the kernel refused; any other fault goes on its way. */
  #refusal(what: string, fault: unknown): KernelError {
    const cause = fault instanceof Error && fault.cause instanceof KernelError ? fault.cause : fault;
    if (!(cause instanceof KernelError)) throw fault;
    this.#log.warn('change.refused', { what, cause: causeChain(fault) });
    return cause;
  }

  #giveUp(what: string, from: World, to: World, { code, message }: KernelError): Refusal {
    this.#journal.begin(what, from);
    this.#journal.commit();
    this.#observer.arrived(to, from);
    const reason = code === 'EEXIST' ? 'AlreadyExists' : 'Failed';
    return refuse(reason, `the kernel refused ${message}; nothing was changed`);
  }

  /** `to`, knowing what was found under each sysctl of interest before anything is written there; those of gone uplinks are forgotten. */
  async #withOriginals(from: World, to: World): Promise<World> {
    const wished = sysctlWishes(to).map(({ key }) => key);
    const unread = wished.filter((key) => !from.originals.has(key));
    // Looking at the kernel takes long where there are many guests.
    const seen = unread.length === 0 ? null : await this.#kernel.observe({ netns: [], sysctls: unread });
    const found = (key: string): string | null => from.originals.get(key) ?? seen?.sysctls.get(key) ?? null;
    return { ...to, originals: new Map(wished.map((key) => [key, found(key)])) };
  }
}

/** Steps were refused that were to take back others. */
const isHalfUndone = (fault: unknown): boolean => fault instanceof AggregateError && fault.errors.length > 1;

/** The far end of a veth comes to be where others are root: one of its name may be there, or its address, or its route. */
const isInGuestsHands = (step: Op): boolean => step.do === 'link.add' && step.link.kind === 'veth';

const isOfGoneLink = (step: Op, fault: unknown): boolean =>
  fault instanceof KernelError &&
  (fault.code === 'ENODEV' ||
    (fault.code === 'ENOENT' && step.do === 'sysctl.set' && ifnameOfSysctl(step.sysctl.key) !== null));
