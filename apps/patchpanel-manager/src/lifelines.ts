import type { Descriptors } from '@pp/ports';

interface Lifeline {
  readonly fd: number;
  readonly watch: { close(): void };
}

/**
 * Descriptors whose end is the end of a guest. Any report of poll(2) counts: a pipe's write end never shows end-of-file, and what a
 * client writes is a good-bye too (spec 1.6). Each end is told once.
 */
export class Lifelines {
  /** BOUNDED: one per guest of the world. */
  readonly #held = new Map<string, Lifeline>();
  readonly #descriptors: Descriptors;
  readonly #onEnd: (key: string) => void;

  constructor(parts: { readonly descriptors: Descriptors; readonly onEnd: (key: string) => void }) {
    this.#descriptors = parts.descriptors;
    this.#onEnd = parts.onEnd;
  }

  /** Takes `fd`. A lifeline that has ended already is told like any other. */
  hold(key: string, fd: number): void {
    const watch = this.#descriptors.watch(fd, () => {
      watch.close();
      this.#onEnd(key);
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
}
