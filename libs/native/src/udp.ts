import type { UdpDatagram, UdpNative, UdpOptions, UdpRefusal } from './api/udp';
import { NativeError } from './api/error';
import { oneOrAll } from './one-or-all';
import type { Addon, RawUdpOptions } from './raw';
import { ReceivedFrames } from './received';

export function udpCalls(addon: Addon): UdpNative {
  return {
    openUdp: (options) => {
      const batch = new ReceivedFrames(addon);
      const { onDatagrams, onError, lends = false } = options;
      let told: readonly string[] = ['', ''];
      const socket = addon.udpOpen(
        rawOptions(options),
        (count, addresses) => {
          if (addresses !== undefined) told = addresses;
          onDatagrams(datagrams(batch.holding(count), told, lends));
        },
        onError,
      );
      return {
        socket,
        fd: addon.udpFd(socket),
        port: addon.udpPort(socket),
        send: (data, address, port, ifindex = 0, source = '') => {
          addon.udpSend(socket, data, address, port, ifindex, source);
        },
        wait: (ms) => {
          addon.udpWait(socket, ms);
        },
        close: () => {
          addon.close(socket);
        },
      };
    },
    sendToTargets: (sockets, batch) => {
      const refused: (number | NativeError)[] = []; // BOUNDED: by the copies
      addon.udpSendToTargets(oneOrAll(sockets), oneOrAll(batch), refused);
      return refused.length === 0 ? NONE : refused.flatMap(refusal);
    },
  };
}

const NONE: readonly UdpRefusal[] = [];

/** Places stand before their errors. */
const refusal = (
  error: number | NativeError,
  at: number,
  all: readonly (number | NativeError)[],
): UdpRefusal[] => (error instanceof NativeError ? [{ socket: Number(all[at - 1]), error }] : []);

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
    slotBytes: options.largestDatagram ?? LARGEST_DATAGRAM,
    target: options.target?.address ?? '',
    targetPort: options.target?.port ?? 0,
  };
}

const LARGEST_DATAGRAM = 65_536;

/** `addresses`: source and destination of each, in turn, or one of either for all. `lends`: the bytes stay in the shared buffer. */
function datagrams(batch: ReceivedFrames, addresses: readonly string[], lends: boolean): UdpDatagram[] {
  const out: UdpDatagram[] = []; // BOUNDED: by the batch
  const step = addresses.length === 2 ? 0 : 2;
  for (let index = 0, at = 0; index < batch.count; index++, at += step)
    out.push({
      data: lends ? batch.frame(index) : batch.copy(index),
      address: addresses[at] ?? '',
      port: batch.port(index),
      ifindex: batch.ifindex(index),
      destination: addresses[at + 1] ?? '',
      hopLimit: batch.hopLimit(index),
    });
  return out;
}
