import { millis } from '@pp/base';
import type { Cancel, Clock, Millis } from '@pp/base';

/** The machine's monotonic clock. Timers do not keep the process alive. */
export class SystemClock implements Clock {
  now(): Millis {
    return millis(performance.now());
  }

  after(_name: string, delay: Millis, task: () => void): Cancel {
    const timer = setTimeout(task, delay);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  }
}
