import { millis, type Millis } from './clock';

/** Delays first, first*2, first*4, ... up to `cap`, for ever. */
export function* backoff(first: Millis, cap: Millis): Generator<Millis, never> {
  for (let delay: number = first; ; delay = Math.min(delay * 2, cap)) yield millis(Math.min(delay, cap));
}
