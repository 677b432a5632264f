import type { DropReason } from './drop-reason';

/** Frames by what became of them: received = forwarded + dropped + waiting (fragments that wait for others). */
export class Counters {
  received = 0;
  forwarded = 0;
  waiting = 0;
  /** Answers passed on to the asker, and those that were not. */
  replies = 0;
  repliesDropped = 0;
  readonly #dropped = new Map<DropReason, number>(); // BOUNDED: by the reasons

  drop(reason: DropReason, frames: number): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + frames);
  }

  /** By reason, only those that happened. */
  get dropped(): ReadonlyMap<DropReason, number> {
    return new Map([...this.#dropped].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get droppedTotal(): number {
    let total = 0;
    for (const count of this.#dropped.values()) total += count;
    return total;
  }
}
