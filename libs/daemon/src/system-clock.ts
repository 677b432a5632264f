import { millis, type Clock } from '@pp/base';

/** The machine's time. */
export const systemClock: Clock = {
  now: () => {
    const [sec, nsec] = process.hrtime(); // `performance` would load 0.3 MB
    return millis(sec * 1000 + nsec / 1e6);
  },
  after: (_name, delay, task) => {
    const timer = setTimeout(task, delay).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
