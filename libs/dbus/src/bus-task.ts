import type { Task } from '@pp/base';
import type { Bus } from './bus';

/** Without the bus a service that lives on it is of no use: it fails when the bus goes, and whoever started it decides. */
export const busTask = (bus: Pick<Bus, 'closed'>): Task => ({
  name: 'bus',
  ready: Promise.resolve(),
  run: (signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
      void bus.closed.then((reason) => {
        reject(reason ?? new Error('the connection to the bus was closed'));
      });
    }),
});
