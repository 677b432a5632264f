import type { NativeError } from './error';

export interface TcpListenOptions {
  /** IPv6 without zone; "::" takes IPv4 too. */
  readonly address: string;
  /** 0: the kernel chooses. */
  readonly port: number;
  /** SO_BINDTODEVICE: nothing comes in by another interface, whatever its destination. */
  readonly device?: string;
  readonly backlog?: number;
  /** Connections, each the receiver's to close: non-blocking, with keepalive and without Nagle's delay. */
  readonly onConnections: (connections: readonly TcpConnection[]) => void;
  /** accept(2) failed (EMFILE, ENFILE, ENOMEM, ENOBUFS); it is called again and again until `pause`. */
  readonly onError: (error: NativeError) => void;
}

export interface TcpConnection {
  readonly fd: number;
  /** The peer; an IPv4 peer of an IPv6 socket is shown as IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface TcpListener {
  readonly port: number;
  /** Accept nothing until `resume`: the backlog fills. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** What becomes of one pair of a relay. After `onEnd`, or `drop`, nothing more is told. */
export interface RelayEvents {
  readonly onConnected: () => void;
  /** The target's socket was not connected, and is closed. The client waits: `retarget` or `drop`. */
  readonly onRefused: (error: NativeError) => void;
  /** Both sides have said all (no error), or one broke. Both sockets are closed. */
  readonly onEnd: (bytes: RelayedBytes, error: NativeError | undefined) => void;
}

/** Bytes that were handed on, by their source. */
export interface RelayedBytes {
  readonly fromClient: number;
  readonly fromTarget: number;
}

export interface RelayPair {
  /** So far; not after the end. */
  readonly bytes: RelayedBytes;
  /** Takes another target's socket, unless it throws; only before `onConnected`. */
  retarget(target: number): void;
  /** Closes both sockets now. */
  drop(): void;
}

/** Moves bytes between pairs of connected stream sockets inside the kernel: half-close is handed on, and nothing is read that the other side has no room for. */
export interface RelayHandle {
  /** Takes both sockets, unless it throws. `target` may still be connecting. */
  join(client: number, target: number, events: RelayEvents): RelayPair;
  /** Closes all pairs, without a word. */
  close(): void;
}

/** Where a stream socket is to connect. */
export type StreamTarget =
  | { readonly via: 'unix'; readonly path: string }
  | { readonly via: 'vsock'; readonly cid: number; readonly port: number }
  | { readonly via: 'tcp'; readonly address: string; readonly port: number };

/** TCP listeners, and relays between stream sockets. */
export interface RelayNative {
  listenTcp(options: TcpListenOptions): TcpListener;
  /** A non-blocking socket that is connecting, or connected already. */
  connectStream(target: StreamTarget): number;
  openRelay(): RelayHandle;
}
