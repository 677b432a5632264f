import type { BpfInstruction, Native } from './api';
import type { Addon } from './raw';
import { type Received, ReceivedFrames } from './received';

export function packetCalls(addon: Addon, received: Received): Pick<Native, 'openPacket'> {
  return {
    openPacket: (options) => {
      const frames = new ReceivedFrames(received);
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
        send: (batch, to = 0, destination) => addon.packetSend(socket, batch, to, destination),
        allMulti: (on, enabled) => {
          addon.packetAllMulti(socket, on, enabled);
        },
        statistics: () => {
          const [packets, drops] = addon.packetStatistics(socket);
          return { packets, drops };
        },
        close: () => {
          addon.close(socket);
        },
      };
    },
  };
}

const INSTRUCTION_BYTES = 8; // struct sock_filter: u16 code, u8 jt, u8 jf, u32 k, in host order

function filterBytes(filter: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(filter.length * INSTRUCTION_BYTES);
  const codes = new Uint16Array(bytes.buffer);
  const constants = new Uint32Array(bytes.buffer);
  filter.forEach(({ code, jt, jf, k }, index) => {
    codes[index * 4] = code;
    bytes[index * INSTRUCTION_BYTES + 2] = jt;
    bytes[index * INSTRUCTION_BYTES + 3] = jf;
    constants[index * 2 + 1] = k;
  });
  return bytes;
}
