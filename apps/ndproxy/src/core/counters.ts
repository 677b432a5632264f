import type { Verdict } from './action';
import type { DropReason } from './drop-reason';

/** Frames of a group by what became of them: received = forwarded + local + dropped + those that wait now. */
export class Counters {
  received = 0;
  forwarded = 0;
  local = 0;
  /** Frames sent, copies counted each; and those of them that answer or ask in our own name. */
  sent = 0;
  originated = 0;
  readonly #dropped = new Map<DropReason, number>(); // BOUNDED: by the reasons

  count(verdict: Verdict): void {
    this.received += 1;
    this.settle(verdict);
  }

  /** Of a frame that was received before. */
  settle(verdict: Verdict): void {
    if (verdict.is === 'forwarded') this.forwarded += 1;
    else if (verdict.is === 'local') this.local += 1;
    else if (verdict.is === 'dropped')
      this.#dropped.set(verdict.reason, (this.#dropped.get(verdict.reason) ?? 0) + 1);
  }

  /** By reason, only those that happened. */
  get dropped(): Readonly<Partial<Record<DropReason, number>>> {
    return Object.fromEntries([...this.#dropped].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get droppedTotal(): number {
    return [...this.#dropped.values()].reduce((sum, each) => sum + each, 0);
  }
}
