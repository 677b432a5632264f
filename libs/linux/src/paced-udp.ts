import type { Clock } from '@pp/base';
import type { Native, UdpHandle, UdpOptions } from '@pp/native';
import { Pace } from './pace';

/** A UDP socket whose streams of datagrams are gathered; see `Pace`. */
export function openPacedUdp(native: Pick<Native, 'openUdp'>, clock: Clock, options: UdpOptions): UdpHandle {
  const pace = new Pace(clock, 'udp.look', () => handle);
  const handle: UdpHandle = native.openUdp({
    ...options,
    onDatagrams: (batch) => {
      options.onDatagrams(batch);
      pace.noticeBatch();
    },
  });
  return {
    ...handle,
    close: () => {
      pace.close();
      handle.close();
    },
  };
}
