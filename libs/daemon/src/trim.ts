import { millis, seconds, type Cancel, type Clock } from '@pp/base';
import type { Native } from '@pp/native';

/** Starting is over by then. */
const FIRST = millis(500);
/** What a flood made be compiled and allocated is given back within this; pages that are in use come back in a millisecond. */
const AGAIN = seconds(60);

/** Keeps resident what a service uses, not all that its start has touched: most of node's own pages. */
export function keepTrimmed(native: Pick<Native, 'trimMemory'>, clock: Clock): Cancel {
  let cancel: Cancel = () => undefined;
  const trim = (): void => {
    native.trimMemory();
    cancel = clock.after('memory.trim', AGAIN, trim);
  };
  cancel = clock.after('memory.trim', FIRST, trim);
  return () => {
    cancel();
  };
}
