import { millis, type Clock } from '@pp/base';
import { performance } from 'node:perf_hooks';

/** The machine's time. */
export const systemClock: Clock = {
  now: () => millis(performance.now()),
  after: (_name, delay, task) => {
    const timer = setTimeout(task, delay).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
