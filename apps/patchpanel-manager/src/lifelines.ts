import type { Descriptors } from '@pp/ports';

/**
 * A descriptor whose end is the end of a guest, watched before it is known of which. Any report of poll(2) counts: a pipe's write end
 * never shows end-of-file, and what a client writes is a good-bye too (spec 1.6).
 */
export class Lifeline {
  readonly fd: number;
  readonly #descriptors: Descriptors;
  readonly #watch: { close(): void } | null;
  readonly #fault: unknown;
  #hasEnded = false;
  #onEnd: (() => void) | null = null;

  /** Takes `fd`. What watching it throws is kept for whoever wants to know of its end. */
  constructor(descriptors: Descriptors, fd: number) {
    this.fd = fd;
    this.#descriptors = descriptors;
    try {
      this.#watch = descriptors.watch(fd, () => {
        this.#end();
      });
    } catch (fault) {
      this.#watch = null;
      this.#fault = fault;
    }
  }

  /** Once; told at once of an end that has been. Throws what watching it threw. */
  whenEnded(onEnd: () => void): void {
    if (this.#watch === null) throw this.#fault;
    this.#onEnd = onEnd;
    if (this.#hasEnded) onEnd();
  }

  close(): void {
    this.#watch?.close();
    this.#descriptors.close(this.fd);
  }

  #end(): void {
    this.#watch?.close();
    this.#hasEnded = true;
    this.#onEnd?.();
  }
}

/** Lifelines by the key of what ends with them. Each end is told once. */
export class Lifelines {
  /** BOUNDED: one per guest of the world. */
  readonly #held = new Map<string, Lifeline>();
  readonly #onEnd: (key: string) => void;

  constructor(onEnd: (key: string) => void) {
    this.#onEnd = onEnd;
  }

  /** Takes `lifeline`, unless it throws: what watching it threw. One that has ended already is told like any other. */
  hold(key: string, lifeline: Lifeline): void {
    lifeline.whenEnded(() => {
      this.#onEnd(key);
    });
    this.#held.set(key, lifeline);
  }

  /** Closes the lifeline of a guest that is gone; of others nothing happens. */
  drop(key: string): void {
    this.#held.get(key)?.close();
    this.#held.delete(key);
  }

  close(): void {
    for (const key of [...this.#held.keys()]) this.drop(key);
  }
}
