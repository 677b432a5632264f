import { millis, type Cancel, type Clock } from '@pp/base';
import type { Native, UdpHandle, UdpOptions } from '@pp/native';

/** Datagrams that come faster than this, one after the other, are a stream. */
const GAP_MS = 1;
/** So many in a row. */
const STREAM = 8;
/** A stream is looked at so often. */
const TICK = millis(2);
/** Looks that find nothing, after which it is none. */
const EMPTY_LOOKS = 2;
/** BOUNDED: batches of one look; others have a turn after it. */
const MAX_BATCHES = 16;

/**
 * A UDP socket that wakes the process for each datagram, as long as they come singly. A stream of them is gathered: 500 times a second
 * whatever waits, since waking up costs several times what a datagram does.
 */
export function openPacedUdp(native: Pick<Native, 'openUdp'>, clock: Clock, options: UdpOptions): UdpHandle {
  let [lastAt, quick, empty] = [-Infinity, 0, 0];
  let [isPaced, isOpen] = [false, true];
  let cancel: Cancel = () => undefined;
  const handle = native.openUdp({
    ...options,
    onDatagrams: (batch) => {
      options.onDatagrams(batch);
      if (!isPaced) notice();
    },
  });
  const notice = (): void => {
    const now = clock.now();
    quick = now - lastAt < GAP_MS ? quick + 1 : 0;
    lastAt = now;
    if (quick < STREAM || !isOpen) return;
    isPaced = true;
    handle.pause();
    cancel = clock.after('udp.look', TICK, look);
  };
  const look = (): void => {
    let batches = 0;
    while (isOpen && batches < MAX_BATCHES && handle.receive() > 0) batches++;
    if (!isOpen) return;
    empty = batches === 0 ? empty + 1 : 0;
    if (empty < EMPTY_LOOKS) {
      cancel = clock.after('udp.look', TICK, look);
      return;
    }
    [quick, empty] = [0, 0];
    isPaced = false;
    handle.resume();
  };
  return {
    ...handle,
    close: () => {
      isOpen = false;
      cancel();
      handle.close();
    },
  };
}
