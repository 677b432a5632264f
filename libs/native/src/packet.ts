import type { PacketNative } from './api/packet';
import { filterBytes } from './filter';
import { oneOrAll } from './one-or-all';
import type { Addon } from './raw';
import { ReceivedFrames } from './received';

export function packetCalls(addon: Addon): PacketNative {
  return {
    openPacket: (options) => {
      const frames = new ReceivedFrames(addon);
      const { mode, protocol, ifindex, filter = [], onFrames, onError } = options;
      const socket = addon.packetOpen(
        {
          datagram: mode === 'datagram',
          protocol,
          ifindex,
          filter: filterBytes(filter),
          ignoreOutgoing: options.ignoreOutgoing ?? false,
          receiveBufferBytes: options.receiveBufferBytes ?? 0,
          batch: options.batch ?? 64,
          frameBytes: options.frameBytes ?? 2048,
        },
        (count) => {
          onFrames(frames.holding(count));
        },
        onError,
      );
      return {
        fd: addon.packetFd(socket),
        send: (batch, to = 0, destination) => addon.packetSend(socket, oneOrAll(batch), to, destination),
        allMulti: (on, enabled) => {
          addon.packetAllMulti(socket, on, enabled);
        },
        statistics: () => {
          const [packets, drops] = addon.packetStatistics(socket);
          return { packets, drops };
        },
        wait: (ms) => {
          addon.packetWait(socket, ms);
        },
        close: () => {
          addon.close(socket);
        },
      };
    },
  };
}
