/**
 * The addon's surface: file descriptors in, file descriptors and bytes out, no policy. Every call returns or throws a `NativeError`
 * whose `code` is the errno by name. No call blocks the event loop: what may wait (netlink requests) runs on a thread of its own.
 * Callbacks come from the event loop, by batch. Byte arrays handed to callbacks are the receiver's unless the text says borrowed.
 */

/** Watches for readiness; see `watchFd`. */
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
  /** One received datagram, whole (MSG_TRUNC is never seen: the buffer grows with MSG_PEEK). */
  readonly onDatagram: (datagram: Uint8Array) => void;
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

/** One classic BPF instruction (linux/filter.h). */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Per frame facts that come beside the bytes. */
export interface FrameInfo {
  /** Offset and length of the frame in the batch buffer. */
  readonly offset: number;
  readonly length: number;
  readonly ifindex: number;
  /** sll_pkttype: 0 host, 1 broadcast, 2 multicast, 3 otherhost, 4 outgoing. */
  readonly packetType: number;
  /** TP_STATUS_CSUMNOTREADY: the transport checksum is not filled in yet. */
  readonly checksumNotReady: boolean;
  /** Whole length on the wire when the buffer cut it. */
  readonly wireLength: number;
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
  /** Frames a batch (recvmmsg) and bytes a frame; default 64 and 2048. */
  readonly batch?: number;
  readonly frameBytes?: number;
  /** Both are borrowed: valid until the callback returns. */
  readonly onFrames: (buffer: Uint8Array, frames: readonly FrameInfo[]) => void;
  readonly onError: (error: NativeError) => void;
}

export interface PacketHandle {
  /** Sends frames in one sendmmsg; returns how many the kernel took. `ifindex` 0: the bound one. */
  send(frames: readonly Uint8Array[], ifindex?: number): number;
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
  /** Multicast groups to join on `ifindex` before bind. */
  readonly groups?: readonly { readonly address: string; readonly ifindex: number }[];
  readonly multicastLoop?: boolean;
  readonly multicastIfindex?: number;
  /** TTL or hop limit of multicast and unicast sends. */
  readonly hopLimit?: number;
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

export interface UdpHandle {
  readonly fd: number;
  /** Port that the kernel chose for port 0. */
  readonly port: number;
  /** `ifindex` and `source` are the packet info of the send; 0 and '' leave them to the kernel. */
  send(data: Uint8Array, address: string, port: number, ifindex?: number, source?: string): void;
  close(): void;
}

export interface TunOptions {
  readonly mode: 'tun' | 'tap';
  /** Exact name, or a template such as "vmtap%d". */
  readonly name: string;
  /** uid that may open it later. */
  readonly owner?: number;
  readonly vnetHeader?: boolean;
  readonly device?: string;
}

/** An open TUN/TAP queue. Without `persist` the interface goes with the fd. */
export interface TunHandle {
  readonly name: string;
  readonly fd: number;
  persist(on: boolean): void;
  /** TUNSETOFFLOAD flags (TUN_F_*). */
  offload(flags: number): void;
  close(): void;
}

/** A UNIX or vsock stream, or a UNIX datagram socket, that carries file descriptors (SCM_RIGHTS). */
export interface StreamOptions {
  /** `fds` came with these bytes and are the receiver's to close. Borrowed is only `data`. */
  readonly onData: (data: Uint8Array, fds: readonly number[]) => void;
  /** The peer sent its last byte. */
  readonly onEnd: () => void;
  readonly onError: (error: NativeError) => void;
  /** A full send queue has become empty again. */
  readonly onDrain?: () => void;
}

export interface StreamHandle {
  readonly fd: number;
  /** Queues bytes and descriptors (duplicated at once: the caller keeps its own); false when the queue is long: wait for onDrain. */
  write(data: Uint8Array, fds?: readonly number[]): boolean;
  /** Half-close after what is queued. */
  end(): void;
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

export interface Native {
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
  /** Calls back once for each poll(2) report: readable, hang-up, error; level-triggered until closed. The fd stays the caller's. */
  watchFd(fd: number, onEvents: (events: PollEvents) => void): FdWatch;
  /** poll(2) with timeout 0. */
  pollFd(fd: number): PollEvents;

  openNetlink(options: NetlinkOptions): NetlinkHandle;
  openPacket(options: PacketOptions): PacketHandle;
  openUdp(options: UdpOptions): UdpHandle;
  openTun(options: TunOptions): TunHandle;

  // Network namespaces; fds are of nsfs files
  /** By pid: /proc/PID/ns/net. By path: checked to be a network namespace (NS_GET_NSTYPE). */
  openNetns(of: { readonly pid: number } | { readonly path: string } | 'current'): number;
  /** uid that owns the user namespace that owns this network namespace (NS_GET_USERNS, NS_GET_OWNER_UID). */
  netnsOwner(fd: number): number;
  /** A new network namespace, made on a thread of its own: the caller's is never left. */
  createNetns(): number;
  /** Bind-mounts the namespace on `path` (made as an empty file; mount propagation as iproute2 does for /run/netns). */
  nameNetns(fd: number, path: string): void;
  /** Lazy unmount and unlink. */
  unnameNetns(path: string): void;
  /** Runs `inside` in the namespace on this thread and comes back, also when it throws. `inside` must not await. */
  runInNetns<T>(fd: number, inside: () => T): T;

  // UNIX and vsock
  connectUnix(path: string, options: StreamOptions): StreamHandle;
  /** Wraps a connected stream socket. Takes the fd. */
  adoptStream(fd: number, options: StreamOptions): StreamHandle;
  connectVsock(cid: number, port: number, options: StreamOptions): StreamHandle;
  /** A path starting with "@" or NUL is abstract. */
  sendUnixDatagram(path: string, data: Uint8Array, fds?: readonly number[]): void;
  socketPair(kind: 'stream' | 'datagram' | 'seqpacket'): [number, number];

  // Socket options by number, as in the headers
  getSocketOption(fd: number, level: number, option: number, length: number): Uint8Array;
  setSocketOption(fd: number, level: number, option: number, value: Uint8Array): void;

  // Processes
  pidfdOpen(pid: number): number;
  pidfdSendSignal(fd: number, signal: number): void;
}
