import { KernelError, type Errno } from '@pp/base';
import { NativeError, type FrameBatch, type Native, type PacketHandle } from '@pp/native';
import type { FrameFacts, PacketPort, PacketPortOptions, PacketPorts } from '@pp/ports';

// linux/if_ether.h
const ETH_P_ALL = 3;
const ETH_P_IP = 0x0800;
// linux/if_packet.h
const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;
const VLAN_ID_MASK = 0xfff;

/** Bytes of a frame that are captured: a jumbo frame, or as in neighbour discovery much less. */
const FRAME_BYTES = 9216;
const RECEIVE_BUFFER_BYTES = 4 << 20;

/** By packet sockets. One socket sends and receives, so its own frames do not come back; only ETH_P_ALL sees what others here send. */
export class LinuxPacketPorts implements PacketPorts {
  constructor(private readonly native: Pick<Native, 'openPacket'>) {}

  open({ ifindex, frames = 'all', filter, onFrame, onBatchEnd, onFault }: PacketPortOptions): PacketPort {
    const facts = new BatchFacts();
    const handle = refusing(`packet socket on #${ifindex}`, () =>
      this.native.openPacket({
        mode: 'raw',
        protocol: frames === 'all' ? ETH_P_ALL : ETH_P_IP,
        ifindex,
        filter,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        frameBytes: FRAME_BYTES,
        onFrames: (batch) => {
          for (let i = 0; i < batch.count; i++) onFrame(batch.frame(i), facts.at(batch, i));
          onBatchEnd();
        },
        onError: ({ code, call }) => {
          onFault(new KernelError(code as Errno, call));
        },
      }),
    );
    if (frames === 'ipv4') return portOf(handle, ifindex);
    try {
      refusing(`all multicast on #${ifindex}`, () => {
        handle.allMulti(ifindex, true);
      });
    } catch (fault) {
      handle.close();
      throw fault;
    }
    return portOf(handle, ifindex);
  }
}

function portOf(handle: PacketHandle, ifindex: number): PacketPort {
  let isOpen = true;
  return {
    send: (frames) => refusing(`send on #${ifindex}`, () => handle.send(frames)),
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

  get forOthers(): boolean {
    return this.#batch?.packetType(this.#index) === PACKET_OTHERHOST;
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
