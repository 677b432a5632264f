import { millis, type Cancel, type Clock, type Millis } from '../clock';

interface Timer {
  readonly name: string;
  readonly due: number;
  readonly task: () => void;
}

/** A clock that stands still until `advance`; timers run in order of their due time. */
export class VirtualClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];

  now(): Millis {
    return millis(this.#now);
  }

  after(name: string, delay: Millis, task: () => void): Cancel {
    const timer = { name, due: this.#now + delay, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Names of the timers that wait, in order of their due time. */
  pending(): string[] {
    return [...this.#timers].sort((a, b) => a.due - b.due).map((timer) => timer.name);
  }

  advance(by: Millis): void {
    const end = this.#now + by;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.task();
    }
    this.#now = end;
  }
}
