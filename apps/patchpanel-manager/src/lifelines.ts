import type { Descriptors } from '@pp/ports';

interface Lifeline {
  readonly fd: number;
  readonly watch: { close(): void };
}

/**
 * Descriptors whose end is the end of a guest. Any report of poll(2) counts: a pipe's write end never shows end-of-file, and what a
 * client writes is a good-bye too (spec 1.6). Ends that come together are told together.
 */
export class Lifelines {
  /** BOUNDED: one per guest of the world. */
  readonly #held = new Map<string, Lifeline>();
  #ended: string[] = [];
  readonly #descriptors: Descriptors;
  readonly #defer: (task: () => void) => void;
  readonly #onEnd: (keys: readonly string[]) => void;

  /** `defer` runs a task after the events that are at hand. */
  constructor(parts: {
    readonly descriptors: Descriptors;
    readonly defer: (task: () => void) => void;
    readonly onEnd: (keys: readonly string[]) => void;
  }) {
    this.#descriptors = parts.descriptors;
    this.#defer = parts.defer;
    this.#onEnd = parts.onEnd;
  }

  /** Takes `fd`. A lifeline that has ended already is told like any other. */
  hold(key: string, fd: number): void {
    const watch = this.#descriptors.watch(fd, () => {
      this.#end(key);
    });
    this.#held.set(key, { fd, watch });
  }

  /** Closes the lifeline of a guest that is gone; of others nothing happens. */
  drop(key: string): void {
    const lifeline = this.#held.get(key);
    if (lifeline === undefined) return;
    this.#held.delete(key);
    lifeline.watch.close();
    this.#descriptors.close(lifeline.fd);
  }

  close(): void {
    for (const key of [...this.#held.keys()]) this.drop(key);
  }

  #end(key: string): void {
    this.#held.get(key)?.watch.close();
    this.#ended.push(key);
    if (this.#ended.length > 1) return; // told with the first
    this.#defer(() => {
      const keys = this.#ended;
      this.#ended = [];
      this.#onEnd(keys);
    });
  }
}
