import { seconds } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { keepTrimmed } from './trim';

test('memory is trimmed after the start and every minute, until it is cancelled', () => {
  const clock = new VirtualClock();
  let trims = 0;
  const cancel = keepTrimmed({ trimMemory: () => trims++ }, clock);
  const seen = [0.4, 0.1, 59, 1, 60].map((sec) => {
    clock.advance(seconds(sec));
    return trims;
  });
  cancel();
  clock.advance(seconds(120));
  expect([...seen, trims, clock.pending()]).toEqual([0, 1, 1, 2, 3, 3, []]);
});
