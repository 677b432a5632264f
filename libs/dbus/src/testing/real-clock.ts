import { millis, type Clock } from '@pp/base';

/** The machine's time, for tests with real sockets; timers do not keep the process alive. */
export const realClock: Clock = {
  now: () => millis(performance.now()),
  after: (_name, delay, task) => {
    const timer = setTimeout(task, delay).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
