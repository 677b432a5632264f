import { KernelError, millis, type Clock, type Errno, type Millis } from '@pp/base';
import { NativeError, type FrameBatch, type Native, type PacketHandle } from '@pp/native';
import type { FrameFacts, PacketPort, PacketPortOptions, PacketPorts } from '@pp/ports';
import { Pace, type Gathering } from './pace';

// linux/if_ether.h
const ETH_P_ALL = 3;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
// linux/if_packet.h
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
const PACKET_OUTGOING = 4;
const VLAN_ID_MASK = 0xfff;

/** What a kind of port hears, and how much of it: a jumbo frame, or all that segmentation offload hands over at once. */
const KINDS = {
  all: {
    protocol: ETH_P_ALL,
    frameBytes: 9216,
    batch: 64,
    isOffloaded: false,
    isMulticast: true,
    isPaced: true,
  },
  ipv4: {
    protocol: ETH_P_IP,
    frameBytes: 9216,
    batch: 64,
    isOffloaded: false,
    isMulticast: false,
    isPaced: true,
  },
  ipv6: {
    protocol: ETH_P_IPV6,
    frameBytes: 65_600,
    batch: 15,
    isOffloaded: true,
    isMulticast: true,
    isPaced: false,
  },
} as const;

const RECEIVE_BUFFER_BYTES = 4 << 20;
/** A neighbour that is asked for answers within a millisecond. */
const GATHERING: Gathering = { gap: millis(1), longest: millis(2) };

/** By packet sockets. One socket sends and receives, so its own frames do not come back; only ETH_P_ALL sees what others here send. */
export class LinuxPacketPorts implements PacketPorts {
  constructor(
    private readonly native: Pick<Native, 'openPacket' | 'setSocketOption'>,
    private readonly clock: Clock,
  ) {}

  open({ ifindex, frames = 'all', filter, onFrame, onBatchEnd, onFault }: PacketPortOptions): PacketPort {
    const facts = new BatchFacts();
    const { isOffloaded, isMulticast, isPaced, ...kind } = KINDS[frames];
    const pace = isPaced ? new Pace({ ...GATHERING, clock: this.clock, batch: kind.batch }) : null;
    const handle = refusing(`packet socket on #${ifindex}`, () =>
      this.native.openPacket({
        ...kind,
        mode: 'raw',
        ifindex,
        filter,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        onFrames: (batch) => {
          for (let i = 0; i < batch.count; i++) onFrame(batch.frame(i), facts.at(batch, i));
          onBatchEnd();
          if (pace !== null) port.wait(pace.waitAfter(batch.count));
        },
        onError: ({ code, call }) => {
          onFault(new KernelError(code as Errno, call));
        },
      }),
    );
    const port = portOf(handle, ifindex);
    try {
      // Before anything is received: the header is put in when a frame is read.
      if (isOffloaded) this.#takeOffloads(handle.fd, ifindex);
      if (isMulticast)
        refusing(`all multicast on #${ifindex}`, () => {
          handle.allMulti(ifindex, true);
        });
    } catch (fault) {
      handle.close();
      throw fault;
    }
    return port;
  }

  #takeOffloads(fd: number, ifindex: number): void {
    refusing(`segmentation offload on #${ifindex}`, () => {
      const on = new Uint8Array(Int32Array.of(1).buffer);
      this.native.setSocketOption(fd, SOL_PACKET, PACKET_VNET_HDR, on);
    });
  }
}

function portOf(handle: PacketHandle, ifindex: number): PacketPort & { wait(time: Millis): void } {
  let isOpen = true;
  return {
    send: (frames) => refusing(`send on #${ifindex}`, () => handle.send(frames)),
    wait: (time) => {
      if (isOpen && time > 0) handle.wait(time);
    },
    missed: () => (isOpen ? handle.statistics().drops : 0),
    close: () => {
      isOpen = false;
      handle.close();
    },
  };
}

function refusing<T>(request: string, call: () => T): T {
  try {
    return call();
  } catch (fault) {
    if (!(fault instanceof NativeError)) throw fault;
    throw new KernelError(fault.code as Errno, request, '', { cause: fault });
  }
}

/** One object for all frames of a port. */
class BatchFacts implements FrameFacts {
  #batch: FrameBatch | undefined;
  #index = 0;

  at(batch: FrameBatch, index: number): this {
    this.#batch = batch;
    this.#index = index;
    return this;
  }

  get outgoing(): boolean {
    return this.#batch?.packetType(this.#index) === PACKET_OUTGOING;
  }

  get vlan(): number {
    const tag = this.#batch?.vlan(this.#index) ?? -1;
    return tag < 0 ? 0 : tag & VLAN_ID_MASK;
  }

  get checksumReady(): boolean {
    return this.#batch?.checksumNotReady(this.#index) !== true;
  }

  get truncated(): boolean {
    return (this.#batch?.wireLength(this.#index) ?? 0) > (this.#batch?.length(this.#index) ?? 0);
  }
}
