import type { Messages } from '@pp/proto';

/** What is to be relayed between an uplink and a link to a guest. */
export type ForwardingPair = Messages['ForwardingPair'];

/** A port of the host that leads to a port of a guest. */
export type ForwardingPort = Messages['ForwardingPort'];

/** The Android guest, by its vsock cid or by the pid of its init. */
export type ForwardingArc =
  { readonly kind: 'vm'; readonly cid: number } | { readonly kind: 'container'; readonly pid: number };

/** What the manager wants of its helpers. */
export interface Forwarding {
  readonly pairs: readonly ForwardingPair[];
  /** null: it does not run. */
  readonly arc: ForwardingArc | null;
  /** Absent: none. */
  readonly ports?: readonly ForwardingPort[];
}

/** What became different. A pair whose flags changed is in both lists. */
export interface ForwardingDelta {
  readonly removed: readonly ForwardingPair[];
  readonly added: readonly ForwardingPair[];
  readonly isArcChanged: boolean;
  readonly arePortsChanged?: true;
}

/** The manager's state as far as it was told: a state, and the changes that followed it without a gap. */
export class ForwardingView {
  #known: { readonly instance: bigint; generation: bigint } | undefined;
  #pairs = new Map<string, ForwardingPair>(); // BOUNDED: by the manager's guests
  #ports = new Map<string, ForwardingPort>(); // BOUNDED: by the manager's port rules
  #arc: ForwardingArc | null = null;

  get now(): Forwarding {
    const ports = [...this.#ports.values()];
    return { pairs: [...this.#pairs.values()], arc: this.#arc, ...(ports.length > 0 ? { ports } : {}) };
  }

  /** Of the manager's run that told the state; undefined before the first one. */
  get instance(): bigint | undefined {
    return this.#known?.instance;
  }

  /** Takes a whole state. Returns what it changes. */
  reset({ instance, generation, pairs, arc, ports }: Messages['ForwardingState']): ForwardingDelta {
    const [before, portsBefore] = [this.#pairs, this.#ports];
    this.#known = { instance, generation };
    this.#pairs = new Map(pairs.map((pair) => [textOf(pair), pair]));
    this.#ports = new Map(ports.map((port) => [textOf(port), port]));
    const [removed, added] = [missingFrom(this.#pairs, before), missingFrom(before, this.#pairs)];
    const portsMoved =
      missingFrom(this.#ports, portsBefore).length + missingFrom(portsBefore, this.#ports).length;
    return { removed, added, isArcChanged: this.#setArc(arc), ...portsChanged(portsMoved) };
  }

  /** Takes a change. `old`: the state has it already. `gap`: it does not follow what is known, so nothing was taken. */
  apply(change: Messages['ForwardingChange']): ForwardingDelta | 'old' | 'gap' {
    const { instance, generation, removed, added, removedPorts, addedPorts } = change;
    if (this.#known?.instance !== instance) return 'gap';
    if (generation <= this.#known.generation) return 'old';
    if (generation !== this.#known.generation + 1n) return 'gap';
    this.#known.generation = generation;
    for (const pair of removed) this.#pairs.delete(textOf(pair));
    for (const pair of added) this.#pairs.set(textOf(pair), pair);
    for (const port of removedPorts) this.#ports.delete(textOf(port));
    for (const port of addedPorts) this.#ports.set(textOf(port), port);
    const portsMoved = removedPorts.length + addedPorts.length;
    return { removed, added, isArcChanged: this.#setArc(change.arc), ...portsChanged(portsMoved) };
  }

  #setArc(arc: Messages['ForwardingArc'] | undefined): boolean {
    const before = JSON.stringify(this.#arc);
    this.#arc = arcOf(arc);
    return JSON.stringify(this.#arc) !== before;
  }
}

const textOf = (value: ForwardingPair | ForwardingPort): string => JSON.stringify(value);

const missingFrom = <T>(some: ReadonlyMap<string, T>, all: ReadonlyMap<string, T>): readonly T[] =>
  [...all].filter(([text]) => !some.has(text)).map(([, value]) => value);

const portsChanged = (count: number): { readonly arePortsChanged?: true } =>
  count > 0 ? { arePortsChanged: true } : {};

function arcOf(arc: Messages['ForwardingArc'] | undefined): ForwardingArc | null {
  if (arc === undefined) return null;
  return arc.pid === 0 ? { kind: 'vm', cid: arc.cid } : { kind: 'container', pid: arc.pid };
}
