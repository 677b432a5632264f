import type { Errno } from '@pp/base';

/** Where the other end of a relayed connection is. */
export type RelayTarget =
  | { readonly via: 'unix'; readonly path: string }
  | { readonly via: 'vsock'; readonly cid: number; readonly port: number }
  | { readonly via: 'tcp'; readonly address: string; readonly port: number };

/** Bytes that were handed on, by their source. */
export interface RelayedBytes {
  readonly fromClient: number;
  readonly fromTarget: number;
}

/** Where to listen for TCP connections. */
export interface ListenPlace {
  /** IPv4 or IPv6, without zone. */
  readonly address: string;
  readonly port: number;
  /** Nothing comes in by another interface, whatever address it was sent to. */
  readonly device?: string;
}

/** A connection that came in. Its bytes wait in the kernel until it is connected. */
export interface Caller {
  /** The peer; an IPv4 peer of an IPv6 socket as IPv4. */
  readonly address: string;
  readonly port: number;
  /** So far; zero before it is connected, not after the end. */
  readonly bytes: RelayedBytes;
  /**
   * Tries a target: what became of it is told to `on`, or the refusal is returned where the kernel knows at once. Again is allowed until
   * it is connected: after a refusal, or instead of a target that does not answer.
   */
  connect(target: RelayTarget, on: CallerEvents): Errno | null;
  /** Closes both ends; idempotent. Nothing is told afterwards. */
  close(): void;
}

export interface CallerEvents {
  readonly onConnected: () => void;
  readonly onRefused: (code: Errno) => void;
  /** Both have said all (null), or one end broke. Both are closed. */
  readonly onEnd: (bytes: RelayedBytes, code: Errno | null) => void;
}

export interface ListenEvents {
  readonly onCaller: (caller: Caller) => void;
  /** Nobody can be accepted (EMFILE and the like); told again and again until `pause`. */
  readonly onFault: (code: Errno) => void;
}

export interface RelayListener {
  /** Accepts nobody until `resume`: the kernel lets them wait. */
  pause(): void;
  resume(): void;
  /** Callers live on. Idempotent. */
  close(): void;
}

/** TCP connections in, streams out, and the bytes between them moved without being looked at; half-close is handed on. */
export interface StreamRelay {
  /** Throws KernelError: EADDRINUSE, EADDRNOTAVAIL, EACCES, ENODEV. */
  listen(place: ListenPlace, on: ListenEvents): RelayListener;
  /** Closes all callers; listeners are their owners'. */
  close(): void;
}
