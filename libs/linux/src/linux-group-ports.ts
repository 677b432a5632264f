import { KernelError, millis, type Clock, type Errno } from '@pp/base';
import { SEARCH_PORTS } from '@pp/datapath';
import { NativeError, type Native, type UdpHandle, type UdpRefusal, type UdpSocket } from '@pp/native';
import type {
  GroupPort,
  GroupPortOptions,
  GroupPorts,
  GroupSender,
  SearchPort,
  SearchPortOptions,
} from '@pp/ports';
import { Pace, type Gathering } from './pace';

/** Bursts of a thousand packets; the kernel counts its own overhead too. */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** A packet of mDNS has 9,000 bytes at most (RFC 6762 §17); what is longer comes cut, and as long as this. */
const LARGEST_BYTES = 16_384;
/** So many of them come together (libs/native). */
const BATCH = 64;
/** What a stream of packets may wait: responders wait 20 to 120 ms of their own (RFC 6762 §6). */
const GATHERING: Gathering = { gap: millis(3), longest: millis(16) };

/**
 * By UDP sockets. One for a group is bound to the group's address: so it hears the group and nothing else, and leaves unicast to whoever
 * has the port (avahi, systemd-resolved). Bound to its device, so that nothing comes or goes by another.
 */
export class LinuxGroupPorts implements GroupPorts {
  readonly #open = new Map<GroupPort, { readonly socket: UdpSocket; readonly ifname: string }>(); // BOUNDED: by whoever opens them
  #next = 0;

  constructor(
    private readonly native: Pick<Native, 'openUdp' | 'sendToTargets'>,
    private readonly clock: Clock,
  ) {}

  openGroup(options: GroupPortOptions): GroupPort {
    const { family, group, port, ifname, ifindex, hopLimit, onDatagrams } = options;
    const pace = new Pace({ ...GATHERING, clock: this.clock, batch: BATCH });
    const handle: UdpHandle = refusing(`group ${group} on ${ifname}`, () =>
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
          const time = pace.waitAfter(batch.length);
          if (time > 0 && this.#open.has(made)) handle.wait(time); // else it was closed meanwhile
        },
        onError: faultHandler(options),
      }),
    );
    const made: GroupPort = {
      answer: (payload, address, to) => {
        refusing(`send on ${ifname}`, () => {
          handle.send(payload, address, to, ifindex);
        });
      },
      close: () => {
        this.#open.delete(made);
        handle.close();
      },
    };
    this.#open.set(made, { socket: handle.socket, ifname });
    return made;
  }

  sender(ports: readonly GroupPort[]): GroupSender {
    const open = ports.map((port) => {
      const found = this.#open.get(port);
      if (found === undefined) throw new Error('a sender of a port that is not open');
      return found;
    });
    const sockets = open.map(({ socket }) => socket);
    const faultOf = (at: number, { code }: NativeError): KernelError =>
      new KernelError(code as Errno, `send on ${open[at]?.ifname ?? ''}`);
    return {
      ports: ports.length,
      send: (payloads) => {
        const refused = this.#sendTo(sockets, payloads);
        return refused.length === 0 ? NONE : refused.map(({ socket, error }) => faultOf(socket, error));
      },
    };
  }

  /** For each packet: without a closure. */
  #sendTo(sockets: readonly UdpSocket[], payloads: readonly Uint8Array[]): readonly UdpRefusal[] {
    try {
      return this.native.sendToTargets(sockets, payloads);
    } catch (fault) {
      throw refusal('send', fault);
    }
  }

  openSearch(options: SearchPortOptions): SearchPort {
    const handle = this.#bindSearch(options);
    return {
      port: handle.port,
      send: (payload, ifindex, address, port) => {
        refusing('send on a port for searching', () => {
          handle.send(payload, address, port, ifindex);
        });
      },
      close: () => {
        handle.close();
      },
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

const NONE: readonly KernelError[] = [];

const faultHandler =
  ({ onFault }: Pick<GroupPortOptions, 'onFault'>) =>
  ({ code, call }: NativeError): void => {
    onFault(new KernelError(code as Errno, call));
  };

function refusing<T>(request: string, call: () => T): T {
  try {
    return call();
  } catch (fault) {
    throw refusal(request, fault);
  }
}

/** What is thrown for a fault: the kernel's refusals by their request. */
const refusal = (request: string, fault: unknown): unknown =>
  fault instanceof NativeError ? new KernelError(fault.code as Errno, request, '', { cause: fault }) : fault;
