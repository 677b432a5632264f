import type { NativeError } from './error';

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
  /** After a `write` or an `end` that returned false: the queue is empty. */
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
  /** Half-close after what is queued. False when that waits, then `onDrain` comes; or when the stream has failed. A later write throws EPIPE. */
  end(): boolean;
  /** Receive nothing until `resume`: the kernel's buffer fills and the peer waits. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface UnixListenOptions {
  /** The receiver's to close: for `adoptStream`. */
  readonly onConnection: (fd: number) => void;
  /** accept(2) failed (EMFILE, ENFILE, ENOMEM, ENOBUFS); it is called again and again until `pause`. */
  readonly onError: (error: NativeError) => void;
}

export interface UnixListener {
  /** Accept nothing until `resume`: the backlog fills, and then connecting says EAGAIN. */
  pause(): void;
  resume(): void;
  /** The path stays. */
  close(): void;
}

/** UNIX and vsock; a path starting with "@" or NUL is abstract. */
export interface StreamNative {
  /** Connected on return; EAGAIN: the listener's backlog is full. */
  connectUnix(path: string, options: StreamOptions): StreamHandle;
  /** Wraps a connected socket. Takes the fd, unless it throws. */
  adoptStream(fd: number, options: StreamOptions): StreamHandle;
  /** Connecting on return; see `onConnect`. */
  connectVsock(cid: number, port: number, options: StreamOptions): StreamHandle;
  /** A stream socket at a new path, with the process's umask. EADDRINUSE: there is a file. */
  listenUnix(path: string, options: UnixListenOptions): UnixListener;
  /** A bound datagram socket, for `adoptStream`. */
  bindUnixDatagram(path: string): number;
  /** EAGAIN: the receiver's queue is full. */
  sendUnixDatagram(path: string, data: Uint8Array, fds?: readonly number[]): void;
  socketPair(kind: 'stream' | 'datagram' | 'seqpacket'): [number, number];
}
