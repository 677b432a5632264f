import type { BpfInstruction } from './bpf';
import type { NativeError } from './error';

/** Netlink protocol families that we use (linux/netlink.h). */
export type NetlinkFamily = 'route' | 'netfilter';

export interface NetlinkOptions {
  readonly family: NetlinkFamily;
  /** SO_RCVBUFFORCE if allowed, else SO_RCVBUF. */
  readonly receiveBufferBytes?: number;
  /** Of what the kernel tells groups; a message that it gives 0 for is never seen. */
  readonly filter?: readonly BpfInstruction[];
  /** Datagrams as they came, whole, one after the other, each from a multiple of four (NLMSG_ALIGNTO). */
  readonly onDatagrams: (datagrams: Uint8Array) => void;
  /** A receive or send failed; ENOBUFS: datagrams were lost, the socket lives on. */
  readonly onError: (error: NativeError) => void;
}

/** A bound netlink socket with extended acks on. Datagrams are sent in order, by a thread of its own or by the caller's. */
export interface NetlinkHandle {
  readonly portId: number;
  /** The message is copied. A failure of send(2) itself goes to `onError`; the kernel's answer comes as a datagram. */
  send(message: Uint8Array): void;
  /**
   * The same from the caller's thread, which waits for the kernel; microseconds that this took. 0: what was sent before is still to go, so
   * the socket's thread sends this after it.
   */
  sendHere(message: Uint8Array): number;
  /** Multicast group by number (RTNLGRP_*, NFNLGRP_*). */
  join(group: number): void;
  leave(group: number): void;
  close(): void;
}

/** One datagram to the kernel of a network namespace; see `visitNetlink`. */
export interface NetlinkVisit {
  readonly family: NetlinkFamily;
  readonly netnsFd: number;
  readonly datagram: Uint8Array;
  /** All that the kernel answered, datagram after datagram as in `NetlinkOptions`; nothing, if it answered nothing. */
  readonly onAnswer: (answer: Uint8Array) => void;
  readonly onError: (error: NativeError) => void;
}

export interface NetlinkNative {
  openNetlink(options: NetlinkOptions): NetlinkHandle;
  /** Asks the kernel of another network namespace once, on a thread of the event loop's pool. The datagram is copied, the fd is the caller's. */
  visitNetlink(visit: NetlinkVisit): void;
}
