import type { DropReason } from './drop-reason';

/** Packets of a group by what became of them: received = forwarded + dropped. */
export class Counters {
  received = 0;
  /** Passed on to one interface at least. */
  forwarded = 0;
  /** Copies sent. */
  sent = 0;
  sendFailures = 0;
  readonly #dropped = new Map<DropReason, number>(); // BOUNDED: by the reasons

  drop(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  get droppedTotal(): number {
    return [...this.#dropped.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Only those that happened, by name. */
  get dropped(): readonly (readonly [DropReason, number])[] {
    return [...this.#dropped].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
