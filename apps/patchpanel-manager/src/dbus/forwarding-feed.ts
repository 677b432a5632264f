import { encode, type Init, type Messages } from '@pp/proto';
import { forwardingChange, forwardingOf, type ForwardingPair } from '../domain/forwarding';
import { ARC_KEY, type Guest } from '../domain/guest';
import { forwardedPortsChange, forwardedPortsOf, type ForwardedPort } from '../domain/forwarded-ports';
import type { World } from '../domain/world';
import type { Observer } from '../reconciler';

type Arc = Init<Messages['ForwardingArc']>;

/**
 * Tells helpers what to relay: all of it when asked, and each change as it comes. Between `leaving` and `arrived` the world is still
 * the old one, but what leaves is told already, so it must not be in an answer either.
 */
export class ForwardingFeed implements Observer {
  readonly #instance: bigint;
  readonly #emit: (change: Uint8Array) => void;
  #generation = 0n;
  /** Texts of the pairs that leave right now. */
  #leavingPairs: ReadonlySet<string> = new Set();
  #leavingPorts: ReadonlySet<string> = new Set();
  #isArcLeaving = false;

  /** `instance`: random, so that clients tell this run from others. `emit` sends a ForwardingChange. */
  constructor(parts: { readonly instance: bigint; readonly emit: (change: Uint8Array) => void }) {
    this.#instance = parts.instance;
    this.#emit = parts.emit;
  }

  /** A ForwardingState. */
  state(world: World): Uint8Array {
    return encode('ForwardingState', {
      instance: this.#instance,
      generation: this.#generation,
      pairs: forwardingOf(world).filter((pair) => !this.#leavingPairs.has(textOf(pair))),
      arc: this.#isArcLeaving ? undefined : arcOf(world),
      ports: forwardedPortsOf(world).filter((port) => !this.#leavingPorts.has(textOf(port))),
    });
  }

  leaving(from: World, to: World): void {
    const { removed } = forwardingChange(from, to);
    const { removed: removedPorts } = forwardedPortsChange(from, to);
    this.#leavingPairs = new Set(removed.map(textOf));
    this.#leavingPorts = new Set(removedPorts.map(textOf));
    this.#isArcLeaving = arcText(from) !== arcText(to) && arcOf(from) !== undefined;
    if (removed.length + removedPorts.length > 0 || this.#isArcLeaving)
      this.#tell({ removed, removedPorts, arc: this.#isArcLeaving ? undefined : arcOf(from) });
  }

  arrived(from: World, to: World): void {
    const { added } = forwardingChange(from, to);
    const { added: addedPorts } = forwardedPortsChange(from, to);
    this.#leavingPairs = this.#leavingPorts = new Set();
    this.#isArcLeaving = false;
    const isArcNew = arcText(from) !== arcText(to) && arcOf(to) !== undefined;
    if (added.length + addedPorts.length > 0 || isArcNew) this.#tell({ added, addedPorts, arc: arcOf(to) });
  }

  #tell(change: Omit<Init<Messages['ForwardingChange']>, 'instance' | 'generation'>): void {
    const [instance, generation] = [this.#instance, ++this.#generation];
    this.#emit(encode('ForwardingChange', { instance, generation, ...change }));
  }
}

const textOf = (value: ForwardingPair | ForwardedPort): string => JSON.stringify(value);

const arcText = (world: World): string => JSON.stringify(arcOf(world) ?? null);

function arcOf({ guests }: World): Arc | undefined {
  const arc: Guest | undefined = guests.get(ARC_KEY);
  if (arc?.kind !== 'arc') return undefined;
  return arc.container === null ? { cid: arc.id } : { pid: arc.id };
}
