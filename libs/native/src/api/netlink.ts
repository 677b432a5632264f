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
  /** The message is copied. A failure of send(2) itself, or of its thread, goes to `onError`; the kernel's answer comes as a datagram. */
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

/**
 * One step of a job.
 * - datagram: to rtnetlink in the namespace of `netnsFd`, null: the worker's own; `mayFail`: a refusal does not end the job
 * - file: a value for one that exists, in one write (a sysctl); /proc/sys/net is that of the worker's namespace
 * - tap: a new TAP in that namespace; EBUSY: its name or its ifindex is taken. It goes when the job ends
 * - keepTaps: those of the job stay; its last step
 */
export type WorkerStep =
  | { readonly datagram: Uint8Array; readonly netnsFd: number | null; readonly mayFail?: true }
  | { readonly file: string; readonly value: string }
  | { readonly tap: WorkerTap }
  | { readonly keepTaps: true };

export interface WorkerTap {
  /** Exact; at most 15 bytes. */
  readonly name: string;
  readonly ifindex: number;
  /** uid that may open it later. */
  readonly owner?: number;
}

export interface NetlinkWorkerOptions {
  /**
   * For each job, in order. `answers`: what the kernel answered, as in `NetlinkOptions`, but no acks of what it did; `done`: so many steps from the first were done and not
   * refused; `fault`: why the step after these could not be done, where it was not the kernel's answer to it that ended the job.
   */
  readonly onDone: (answers: Uint8Array, done: number, fault: NativeError | undefined) => void;
}

/** A thread that does jobs, one after the other; a job ends at the first step that is refused. */
export interface NetlinkWorkerHandle {
  /**
   * Everything is copied, descriptors are the caller's. `more`: the next job goes on with this one; it is not begun where this one ends early,
   * and both are told of when it ends. Throws NativeError for a descriptor that is not open, RangeError for a number or a text that cannot be one.
   */
  run(steps: readonly WorkerStep[], how?: { readonly more: boolean }): void;
  /** No job is told of any more; one under way is done to its end. */
  close(): void;
}

export interface NetlinkNative {
  openNetlink(options: NetlinkOptions): NetlinkHandle;
  /** In the network namespace that the calling thread is in. */
  openNetlinkWorker(options: NetlinkWorkerOptions): NetlinkWorkerHandle;
}
