import { backoff } from './backoff';
import { seconds } from './clock';

test('delays double up to the cap and stay there', () => {
  const delays = backoff(seconds(0.2), seconds(1));
  expect(Array.from({ length: 5 }, () => delays.next().value)).toEqual([200, 400, 800, 1000, 1000]);
});
