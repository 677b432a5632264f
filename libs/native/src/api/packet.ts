import type { BatchSocket, FrameBatch } from './batch';
import type { BpfInstruction } from './bpf';
import type { NativeError } from './error';

export interface PacketOptions {
  /** 'raw': frames with Ethernet header; 'datagram': from the network header on. */
  readonly mode: 'raw' | 'datagram';
  /** ETH_P_* in host order, e.g. 0x86dd. */
  readonly protocol: number;
  /** 0: all interfaces. */
  readonly ifindex: number;
  /** Attached before bind, so that no frame slips past it. */
  readonly filter?: readonly BpfInstruction[];
  readonly ignoreOutgoing?: boolean;
  readonly receiveBufferBytes?: number;
  /** Frames a batch (recvmmsg, at most 64) and bytes a frame; default 64 and 2048. Together at most 1 MiB. */
  readonly batch?: number;
  readonly frameBytes?: number;
  readonly onFrames: (frames: FrameBatch) => void;
  readonly onError: (error: NativeError) => void;
}

export interface PacketHandle extends BatchSocket {
  readonly fd: number;
  /**
   * Sends frames in one sendmmsg; returns how many the kernel took: fewer when its queue is full (ENOBUFS, EAGAIN); throws if it
   * refused the first. `ifindex` 0: the bound one. `destination`: link-layer address, needed in mode 'datagram'.
   */
  send(frames: readonly Uint8Array[], ifindex?: number, destination?: Uint8Array): number;
  /** PACKET_MR_ALLMULTI on an interface, counted by the kernel per socket: gone with the socket. */
  allMulti(ifindex: number, on: boolean): void;
  /** Packets seen and dropped by the kernel since the last call (PACKET_STATISTICS). */
  statistics(): { readonly packets: number; readonly drops: number };
  close(): void;
}

export interface PacketNative {
  openPacket(options: PacketOptions): PacketHandle;
}
