/** What a byte stream tells its owner; all from the event loop, none from inside a call of `ByteStream`. */
export interface ByteStreamEvents {
  /** `data` is borrowed until the callback returns; `fds` came with these bytes and are the receiver's to close. */
  readonly onData: (data: Uint8Array, fds: readonly number[]) => void;
  /** The peer sent its last byte. */
  readonly onEnd: () => void;
  readonly onError: (error: Error) => void;
  /** A queue that was long is empty again. */
  readonly onDrain: () => void;
}

/** A connected stream that carries descriptors beside its bytes. */
export interface ByteStream {
  /** Queues bytes and descriptors; the caller keeps its own copies of both. False when the queue is long: wait for `onDrain`. */
  write(data: Uint8Array, fds: readonly number[]): boolean;
  pause(): void;
  resume(): void;
  /** Idempotent; no event comes after it. */
  close(): void;
}

/** Closes a descriptor that nobody took. */
export type CloseFd = (fd: number) => void;
