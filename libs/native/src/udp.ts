import type { Native, UdpDatagram, UdpOptions } from './api';
import type { Addon, RawUdpOptions } from './raw';
import { type Received, ReceivedFrames } from './received';

export function udpCalls(addon: Addon, received: Received): Pick<Native, 'openUdp'> {
  return {
    openUdp: (options) => {
      const batch = new ReceivedFrames(received);
      const { onDatagrams, onError } = options;
      const socket = addon.udpOpen(
        rawOptions(options),
        (count, addresses) => {
          onDatagrams(datagrams(batch.holding(count), addresses));
        },
        onError,
      );
      return {
        fd: addon.udpFd(socket),
        port: addon.udpPort(socket),
        send: (data, address, port, ifindex = 0, source = '') => {
          addon.udpSend(socket, data, address, port, ifindex, source);
        },
        pause: () => {
          addon.udpListen(socket, false);
        },
        resume: () => {
          addon.udpListen(socket, true);
        },
        receive: () => addon.udpReceive(socket),
        close: () => {
          addon.close(socket);
        },
      };
    },
  };
}

function rawOptions(options: UdpOptions): RawUdpOptions {
  const groups = options.groups ?? [];
  return {
    ipv6: options.family === 'ipv6',
    device: options.device ?? '',
    address: options.address,
    port: options.port,
    scopeId: options.scopeId ?? 0,
    reuseAddress: options.reuseAddress ?? false,
    broadcast: options.broadcast ?? false,
    groupAddresses: groups.map((group) => group.address),
    groupIfindexes: groups.map((group) => group.ifindex),
    multicastLoop: options.multicastLoop === undefined ? -1 : Number(options.multicastLoop),
    multicastIfindex: options.multicastIfindex ?? -1,
    hopLimit: options.hopLimit ?? -1,
    receiveBufferBytes: options.receiveBufferBytes ?? 0,
  };
}

/** Out of the shared buffers into values of the receiver's own. `addresses`: source and destination of each, in turn. */
function datagrams(batch: ReceivedFrames, addresses: readonly string[]): UdpDatagram[] {
  return Array.from({ length: batch.count }, (_, index) => ({
    data: batch.copy(index),
    address: addresses[index * 2] ?? '',
    port: batch.port(index),
    ifindex: batch.ifindex(index),
    destination: addresses[index * 2 + 1] ?? '',
    hopLimit: batch.hopLimit(index),
  }));
}
