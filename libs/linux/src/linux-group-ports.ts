import { KernelError, millis, type Clock, type Errno, type Millis } from '@pp/base';
import { SEARCH_PORTS } from '@pp/datapath';
import { NativeError, type Native, type UdpHandle } from '@pp/native';
import type { GroupPort, GroupPortOptions, GroupPorts, SearchPort, SearchPortOptions } from '@pp/ports';
import { Pace, type Gathering } from './pace';

/** Bursts of a thousand packets; the kernel counts its own overhead too. */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** A packet of mDNS has 9,000 bytes at most (RFC 6762 §17); what is longer comes cut, and as long as this. */
const LARGEST_BYTES = 16_384;
/** So many of them come together (libs/native). */
const BATCH = 64;
/** What a stream of packets may wait: responders wait 20 to 120 ms of their own (RFC 6762 §6). */
const GATHERING: Gathering = { gap: millis(3), longest: millis(8) };

/**
 * By UDP sockets. One for a group is bound to the group's address: so it hears the group and nothing else, and leaves unicast to whoever
 * has the port (avahi, systemd-resolved). Bound to its device, so that nothing comes or goes by another.
 */
export class LinuxGroupPorts implements GroupPorts {
  #next = 0;

  constructor(
    private readonly native: Pick<Native, 'openUdp'>,
    private readonly clock: Clock,
  ) {}

  openGroup(options: GroupPortOptions): GroupPort {
    const { family, group, port, ifname, ifindex, hopLimit, onDatagrams } = options;
    const pace = new Pace({ ...GATHERING, clock: this.clock, batch: BATCH });
    const handle = refusing(`group ${group} on ${ifname}`, () =>
      this.native.openUdp({
        family,
        device: ifname,
        address: group,
        port,
        ...(family === 'ipv6' ? { scopeId: ifindex } : {}),
        reuseAddress: true,
        groups: [{ address: group, ifindex }],
        multicastLoop: false,
        multicastIfindex: ifindex,
        hopLimit,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        largestDatagram: LARGEST_BYTES,
        target: { address: group, port },
        lends: true,
        onDatagrams: (batch) => {
          onDatagrams(batch);
          wait(pace.waitAfter(batch.length));
        },
        onError: faultHandler(options),
      }),
    );
    const { send, sendAll, wait, close } = guarded(handle, ifname);
    return {
      send: sendAll,
      answer: (payload, address, to) => {
        send(payload, address, to, ifindex);
      },
      close,
    };
  }

  openSearch(options: SearchPortOptions): SearchPort {
    const handle = this.#bindSearch(options);
    const { send, close } = guarded(handle, 'a port for searching');
    return {
      port: handle.port,
      send: (payload, ifindex, address, port) => {
        send(payload, address, port, ifindex);
      },
      close,
    };
  }

  /** The next port that is free: what the last session left may still be answered to. */
  #bindSearch(options: SearchPortOptions): UdpHandle {
    const count = SEARCH_PORTS.last - SEARCH_PORTS.first + 1;
    for (let tries = 0; tries < count; tries++) {
      const port = SEARCH_PORTS.first + this.#next;
      this.#next = (this.#next + 1) % count;
      try {
        return this.#openSearch(options, port);
      } catch (fault) {
        if (!(fault instanceof KernelError) || fault.code !== 'EADDRINUSE') throw fault;
      }
    }
    throw new KernelError('EADDRINUSE', 'port for searching');
  }

  #openSearch(options: SearchPortOptions, port: number): UdpHandle {
    const { family, hopLimit, onDatagrams } = options;
    return refusing('port for searching', () =>
      this.native.openUdp({
        family,
        address: family === 'ipv4' ? '0.0.0.0' : '::',
        port,
        multicastLoop: false,
        hopLimit,
        largestDatagram: LARGEST_BYTES,
        lends: true,
        onDatagrams,
        onError: faultHandler(options),
      }),
    );
  }
}

interface Guarded {
  readonly send: (payload: Uint8Array, address: string, port: number, ifindex: number) => void;
  readonly sendAll: (payloads: readonly Uint8Array[]) => readonly KernelError[];
  readonly wait: (time: Millis) => void;
  readonly close: () => void;
}

/** After `close` nothing is sent: the number of the closed descriptor may be another's. */
function guarded(handle: UdpHandle, what: string): Guarded {
  let isOpen = true;
  const open = (): UdpHandle => {
    if (!isOpen) throw new KernelError('EBADF', `send on ${what}`);
    return handle;
  };
  return {
    send: (payload, address, port, ifindex) => {
      refusing(`send on ${what}`, () => {
        open().send(payload, address, port, ifindex);
      });
    },
    sendAll: (payloads) =>
      sentAll(payloads, (first) => refusing(`send on ${what}`, () => open().sendAll(payloads, first))),
    wait: (time) => {
      if (isOpen && time > 0) handle.wait(time);
    },
    close: () => {
      isOpen = false;
      handle.close();
    },
  };
}

const NONE: readonly KernelError[] = [];

/** One that is refused does not keep those behind it. */
function sentAll(
  payloads: readonly Uint8Array[],
  sendFrom: (first: number) => number,
): readonly KernelError[] {
  let refused = NONE;
  for (let at = 0; at < payloads.length;)
    try {
      at += sendFrom(at);
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      refused = [...refused, fault];
      at++;
    }
  return refused;
}

const faultHandler =
  ({ onFault }: Pick<GroupPortOptions, 'onFault'>) =>
  ({ code, call }: NativeError): void => {
    onFault(new KernelError(code as Errno, call));
  };

function refusing<T>(request: string, call: () => T): T {
  try {
    return call();
  } catch (fault) {
    if (!(fault instanceof NativeError)) throw fault;
    throw new KernelError(fault.code as Errno, request, '', { cause: fault });
  }
}
