/**
 * The addon's surface: file descriptors in, file descriptors and bytes out, no policy. Every call returns or throws a `NativeError`
 * whose `code` is the errno by name. No call blocks the event loop: what may wait (netlink requests) runs on a thread of its own.
 * Callbacks come from the event loop, by batch. Byte arrays handed to callbacks are the receiver's unless the text says borrowed.
 */

import type { RelayNative } from './relay-api';

/** See `watchFd`. Like every handle here it keeps the process running until it is closed; closing twice is allowed. */
export interface FdWatch {
  close(): void;
}

/** What poll(2) said. A pipe's write end whose reader closed shows `error` only. */
export interface PollEvents {
  readonly readable: boolean;
  readonly hangup: boolean;
  readonly error: boolean;
}

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

/** A bound netlink socket with extended acks on. Datagrams are sent in order, by a thread of its own. */
export interface NetlinkHandle {
  readonly portId: number;
  /** The message is copied. A failure of send(2) itself goes to `onError`; the kernel's answer comes as a datagram. */
  send(message: Uint8Array): void;
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

/** One classic BPF instruction (linux/filter.h). */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/**
 * A received batch. All of it is borrowed: the object and its bytes are used again for the next batch of any socket, so copy what you
 * keep. Facts come by index (0 to `count` - 1), so that a frame costs no object.
 */
export interface FrameBatch {
  readonly count: number;
  /** Holds the bytes of all frames, at `offset(i)`, `length(i)`. */
  readonly buffer: Uint8Array;
  /** A view of one frame's bytes. */
  frame(index: number): Uint8Array;
  offset(index: number): number;
  length(index: number): number;
  /** Length on the wire; more than `length` if the frame was cut to `frameBytes`. TUN: always `length`. */
  wireLength(index: number): number;
  ifindex(index: number): number;
  /** sll_pkttype: 0 host, 1 broadcast, 2 multicast, 3 otherhost, 4 outgoing. TUN: 0. */
  packetType(index: number): number;
  /** ETH_P_* in host order. TUN: 0. */
  protocol(index: number): number;
  /** TP_STATUS_CSUMNOTREADY: the transport checksum is not filled in yet. */
  checksumNotReady(index: number): boolean;
  /** The VLAN tag control information that the kernel took out of the frame (id is the low 12 bits), or -1. */
  vlan(index: number): number;
}

/** A socket that reports a batch when something waits, or, while it is paused, when it is asked. */
export interface BatchSocket {
  /** Report nothing until `resume` but by `receive`. */
  pause(): void;
  resume(): void;
  /** Reports a batch of what waits now; how many are in it: 0, none waits. */
  receive(): number;
}

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
  /** Where `sendAll` sends to, on `multicastIfindex`. */
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

export interface UdpHandle extends BatchSocket {
  readonly fd: number;
  /** Port that the kernel chose for port 0. */
  readonly port: number;
  /** `ifindex` and `source` are the packet info of the send; 0 and '' leave them to the kernel. */
  send(data: Uint8Array, address: string, port: number, ifindex?: number, source?: string): void;
  /** To `target`, by one system call; how many of them, from `first` on: 64 at most. Throws when the kernel refuses the first. */
  sendAll(batch: readonly Uint8Array[], first?: number): number;
  close(): void;
}

export interface TunOptions {
  readonly mode: 'tun' | 'tap';
  /** Exact name, or a template such as "vmtap%d". A name that exists is EBUSY. */
  readonly name: string;
  /** Open a queue of the interface that exists, as a VMM does; ENODEV if there is none. */
  readonly attach?: boolean;
  /** uid that may open it later. */
  readonly owner?: number;
  /** Ethernet address of the interface (TAP only). */
  readonly mac?: Uint8Array;
  readonly vnetHeader?: boolean;
  /** Default /dev/net/tun. */
  readonly device?: string;
  /** Read frames, by batch; without it nothing is read here (a VMM does it). */
  readonly onFrames?: (frames: FrameBatch) => void;
  /** Reading failed, e.g. EBADFD: the interface was deleted. No frames come after it. */
  readonly onError?: (error: NativeError) => void;
  /** Frames a batch (at most 64) and bytes a frame; default 64 and 2048, with `vnetHeader` 15 and 65,561. */
  readonly batch?: number;
  readonly frameBytes?: number;
}

/** An open TUN/TAP queue. Without `persist` the interface goes with the fd. */
export interface TunHandle {
  readonly name: string;
  readonly ifindex: number;
  readonly fd: number;
  persist(on: boolean): void;
  /** TUNSETOFFLOAD flags (TUN_F_*). */
  offload(flags: number): void;
  /** Gives frames to the interface, as if they came in on it; returns how many it took (see `PacketHandle.send`). */
  send(frames: readonly Uint8Array[]): number;
  close(): void;
}

/**
 * A connected socket that carries bytes and file descriptors (SCM_RIGHTS): UNIX stream, datagram, seqpacket; vsock.
 *
 * Where received descriptors belong: Linux ends a recvmsg with the send that carried descriptors, but may put bytes of earlier sends
 * before it. So `fds` belong to the last send that has bytes in `data`, not to `data`'s first byte: with a sender that puts one
 * message into a send, to the last message that begins in `data`. Order is kept; descriptors are never behind their message's first byte.
 */
export interface StreamOptions {
  /** `fds` came with these bytes, close-on-exec, and are the receiver's to close. `data` is borrowed until the callback returns. */
  readonly onData: (data: Uint8Array, fds: readonly number[]) => void;
  /** The peer sent its last byte. Writing may still work. */
  readonly onEnd: () => void;
  /**
   * The stream failed: nothing else is called afterwards, close it. One exception: EMFILE says that descriptors were lost because this
   * process has too many; their bytes follow in `onData` with no descriptors, and the stream lives.
   */
  readonly onError: (error: NativeError) => void;
  /** After a `write` that returned false: the queue is empty. */
  readonly onDrain?: () => void;
  /** `connectVsock` only: connected. A refusal comes to `onError`. */
  readonly onConnect?: () => void;
}

export interface StreamHandle {
  readonly fd: number;
  /**
   * Queues bytes (copied) and descriptors (duplicated: the caller keeps its own), which go with the first of the bytes. False when more
   * than 256 KiB wait, then `onDrain` comes; or when the stream has failed, then `onError` comes or came. EINVAL: descriptors without a
   * byte, or more than 253.
   */
  write(data: Uint8Array, fds?: readonly number[]): boolean;
  /** Half-close after what is queued. A later write throws EPIPE. */
  end(): void;
  /** Receive nothing until `resume`: the kernel's buffer fills and the peer waits. */
  pause(): void;
  resume(): void;
  close(): void;
}

export class NativeError extends Error {
  override readonly name = 'NativeError';

  /** `code`: errno by name; `call`: the system call that failed and on what, e.g. "open /proc/9/ns/net". */
  constructor(
    readonly code: string,
    readonly call: string,
  ) {
    super(`${call}: ${code}`);
  }
}

export interface Native extends RelayNative {
  /** "ENOENT" for 2, for errors that come as numbers in netlink messages; "E<number>" for one without a name. */
  errnoName(errno: number): string;

  // File descriptors
  closeFd(fd: number): void;
  /** F_DUPFD_CLOEXEC. */
  dupFd(fd: number): number;
  /** pipe2(O_CLOEXEC): [read end, write end]. */
  pipe(): [number, number];
  /** S_IFMT of fstat as a word. */
  fdKind(fd: number): 'file' | 'directory' | 'fifo' | 'socket' | 'character' | 'block' | 'other';
  /** st_dev and st_ino, for telling one namespace or file from another. */
  fdIdentity(fd: number): { readonly dev: number; readonly ino: number };
  /**
   * Calls back once for each poll(2) report: readable, hang-up, error; level-triggered, so again and again until closed. The fd stays
   * the caller's, who may close it: a duplicate is watched, and its flags are left alone. EPERM: not pollable (a regular file).
   */
  watchFd(fd: number, onEvents: (events: PollEvents) => void): FdWatch;
  /** poll(2) with timeout 0. */
  pollFd(fd: number): PollEvents;

  openNetlink(options: NetlinkOptions): NetlinkHandle;
  /** Asks the kernel of another network namespace once, on a thread of the event loop's pool. The datagram is copied, the fd is the caller's. */
  visitNetlink(visit: NetlinkVisit): void;
  openPacket(options: PacketOptions): PacketHandle;
  openUdp(options: UdpOptions): UdpHandle;
  openTun(options: TunOptions): TunHandle;

  // Network namespaces; fds are of nsfs files
  /** By pid: /proc/PID/ns/net. By path: checked to be a network namespace (NS_GET_NSTYPE). */
  openNetns(of: { readonly pid: number } | { readonly path: string } | 'current'): number;
  /** A new network namespace, made on a thread of its own: the caller's is never left. */
  createNetns(): number;
  /** Bind-mounts the namespace on `path` (made as an empty file; mount propagation as iproute2 does for /run/netns). */
  nameNetns(fd: number, path: string): void;
  /** Lazy unmount and unlink. */
  unnameNetns(path: string): void;
  /** Runs `inside` in the namespace on this thread and comes back, also when it throws. `inside` must not await. */
  runInNetns<T>(fd: number, inside: () => T): T;

  // UNIX and vsock
  // A path starting with "@" or NUL is abstract
  /** Connected on return; EAGAIN: the listener's backlog is full. */
  connectUnix(path: string, options: StreamOptions): StreamHandle;
  /** Wraps a connected socket. Takes the fd, unless it throws. */
  adoptStream(fd: number, options: StreamOptions): StreamHandle;
  /** Connecting on return; see `onConnect`. */
  connectVsock(cid: number, port: number, options: StreamOptions): StreamHandle;
  /** A bound datagram socket, for `adoptStream`. */
  bindUnixDatagram(path: string): number;
  /** EAGAIN: the receiver's queue is full. */
  sendUnixDatagram(path: string, data: Uint8Array, fds?: readonly number[]): void;
  socketPair(kind: 'stream' | 'datagram' | 'seqpacket'): [number, number];

  // Socket options by number, as in the headers
  getSocketOption(fd: number, level: number, option: number, length: number): Uint8Array;
  setSocketOption(fd: number, level: number, option: number, value: Uint8Array): void;

  // Processes
  pidfdOpen(pid: number): number;
}
