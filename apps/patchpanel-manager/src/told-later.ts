import type { World } from './domain/world';
import type { Observer } from './reconciler';

/**
 * Tells of what came after whoever asked for it has been answered: helpers and listeners need not keep a client waiting. The order of
 * all that is told stays, and what goes is still told before the kernel takes it away.
 */
export class ToldLater implements Observer {
  readonly #observer: Observer;
  readonly #defer: (task: () => void) => void;
  readonly #came: { readonly from: World; readonly to: World }[] = []; // BOUNDED: by the changes of a millisecond

  /** `defer` runs a task when they have been answered. */
  constructor(observer: Observer, defer: (task: () => void) => void) {
    this.#observer = observer;
    this.#defer = defer;
  }

  leaving(from: World, to: World): void {
    this.tellNow();
    this.#observer.leaving(from, to);
  }

  arrived(from: World, to: World): void {
    this.#came.push({ from, to });
    if (this.#came.length > 1) return; // told with the first
    this.#defer(() => {
      this.tellNow();
    });
  }

  /** For whoever is about to ask how things are. */
  tellNow(): void {
    for (const { from, to } of this.#came.splice(0)) this.#observer.arrived(from, to);
  }
}
