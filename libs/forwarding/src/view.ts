import type { Messages } from '@pp/proto';

/** What is to be relayed between an uplink and a link to a guest. */
export type ForwardingPair = Messages['ForwardingPair'];

/** The Android guest, by its vsock cid or by the pid of its init. */
export type ForwardingArc =
  { readonly kind: 'vm'; readonly cid: number } | { readonly kind: 'container'; readonly pid: number };

/** What the manager wants of its helpers. */
export interface Forwarding {
  readonly pairs: readonly ForwardingPair[];
  /** null: it does not run. */
  readonly arc: ForwardingArc | null;
}

/** What became different. A pair whose flags changed is in both lists. */
export interface ForwardingDelta {
  readonly removed: readonly ForwardingPair[];
  readonly added: readonly ForwardingPair[];
  readonly isArcChanged: boolean;
}

/** The manager's state as far as it was told: a state, and the changes that followed it without a gap. */
export class ForwardingView {
  #known: { readonly instance: bigint; generation: bigint } | undefined;
  #pairs = new Map<string, ForwardingPair>(); // BOUNDED: by the manager's guests
  #arc: ForwardingArc | null = null;

  get now(): Forwarding {
    return { pairs: [...this.#pairs.values()], arc: this.#arc };
  }

  /** Of the manager's run that told the state; undefined before the first one. */
  get instance(): bigint | undefined {
    return this.#known?.instance;
  }

  /** Takes a whole state. Returns what it changes. */
  reset({ instance, generation, pairs, arc }: Messages['ForwardingState']): ForwardingDelta {
    const before = this.#pairs;
    this.#known = { instance, generation };
    this.#pairs = new Map(pairs.map((pair) => [pairText(pair), pair]));
    const [removed, added] = [missingFrom(this.#pairs, before), missingFrom(before, this.#pairs)];
    return { removed, added, isArcChanged: this.#setArc(arc) };
  }

  /** Takes a change. `old`: the state has it already. `gap`: it does not follow what is known, so nothing was taken. */
  apply(change: Messages['ForwardingChange']): ForwardingDelta | 'old' | 'gap' {
    const { instance, generation, removed, added } = change;
    if (this.#known?.instance !== instance) return 'gap';
    if (generation <= this.#known.generation) return 'old';
    if (generation !== this.#known.generation + 1n) return 'gap';
    this.#known.generation = generation;
    for (const pair of removed) this.#pairs.delete(pairText(pair));
    for (const pair of added) this.#pairs.set(pairText(pair), pair);
    return { removed, added, isArcChanged: this.#setArc(change.arc) };
  }

  #setArc(arc: Messages['ForwardingArc'] | undefined): boolean {
    const before = JSON.stringify(this.#arc);
    this.#arc = arcOf(arc);
    return JSON.stringify(this.#arc) !== before;
  }
}

const pairText = (pair: ForwardingPair): string => JSON.stringify(pair);

const missingFrom = (
  some: ReadonlyMap<string, ForwardingPair>,
  all: ReadonlyMap<string, ForwardingPair>,
): readonly ForwardingPair[] => [...all].filter(([text]) => !some.has(text)).map(([, pair]) => pair);

function arcOf(arc: Messages['ForwardingArc'] | undefined): ForwardingArc | null {
  if (arc === undefined) return null;
  return arc.pid === 0 ? { kind: 'vm', cid: arc.cid } : { kind: 'container', pid: arc.pid };
}
