import { millis, type Clock } from '@pp/base';
import { hrtime, uptime } from 'node:process';

const [sec, nsec] = hrtime();
const bornMs = sec * 1000 + nsec / 1e6 - uptime() * 1000;

/** The machine's time, by CLOCK_MONOTONIC. */
export const systemClock: Clock = {
  // for every packet: hrtime makes an array, and `performance` would load 0.3 MB
  now: () => millis(bornMs + uptime() * 1000),
  after: (_name, delay, task) => {
    const timer = setTimeout(task, delay).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
