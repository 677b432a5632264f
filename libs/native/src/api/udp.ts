import type { BatchSocket } from './batch';
import type { NativeError } from './error';

export interface UdpOptions {
  readonly family: 'ipv4' | 'ipv6';
  /** SO_BINDTODEVICE, set before bind. */
  readonly device?: string;
  readonly address: string;
  readonly port: number;
  /** Scope of a link-local `address`. */
  readonly scopeId?: number;
  readonly reuseAddress?: boolean;
  readonly broadcast?: boolean;
  /**
   * Multicast groups to join on `ifindex` before bind; others are not heard (IP_MULTICAST_ALL off). IPv6: Linux gives a group that this
   * socket joined anywhere from every interface where somebody joined it: set `device`, or look at each `ifindex`.
   */
  readonly groups?: readonly { readonly address: string; readonly ifindex: number }[];
  readonly multicastLoop?: boolean;
  readonly multicastIfindex?: number;
  /** TTL or hop limit of multicast and unicast sends. */
  readonly hopLimit?: number;
  readonly receiveBufferBytes?: number;
  /** Bytes, at most and by default 65,536. Longer ones are cut; the smaller, the more come in one batch, up to 64. */
  readonly largestDatagram?: number;
  /** Where `sendToTargets` sends to, on `multicastIfindex`. */
  readonly target?: { readonly address: string; readonly port: number };
  /** The bytes of datagrams are valid only until `onDatagrams` returns: no copies are made. */
  readonly lends?: boolean;
  readonly onDatagrams: (batch: readonly UdpDatagram[]) => void;
  readonly onError: (error: NativeError) => void;
}

export interface UdpDatagram {
  readonly data: Uint8Array;
  readonly address: string;
  readonly port: number;
  /** From IP_PKTINFO / IPV6_PKTINFO: where it came in and what it was sent to. */
  readonly ifindex: number;
  readonly destination: string;
  readonly hopLimit: number;
}

/** The addon's own name of a socket. */
export type UdpSocket = object;

export interface UdpHandle extends BatchSocket {
  readonly socket: UdpSocket;
  readonly fd: number;
  /** Port that the kernel chose for port 0. */
  readonly port: number;
  /** `ifindex` and `source` are the packet info of the send; 0 and '' leave them to the kernel. */
  send(data: Uint8Array, address: string, port: number, ifindex?: number, source?: string): void;
  close(): void;
}

export interface UdpRefusal {
  /** Its place among the sockets. */
  readonly socket: number;
  readonly error: NativeError;
}

export interface UdpNative {
  openUdp(options: UdpOptions): UdpHandle;
  /**
   * Every datagram to the `target` of every socket, by each in order, 64 by a system call. Gives those that the kernel refused; they do not
   * keep others. Throws NativeError: EDESTADDRREQ for a socket without a target, EBADF for one that is closed.
   */
  sendToTargets(sockets: readonly UdpSocket[], batch: readonly Uint8Array[]): readonly UdpRefusal[];
}
