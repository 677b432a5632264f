import type { ByteStream, ByteStreamEvents } from '../byte-stream';

/** A byte stream whose other end is the test: what was written is kept, what arrives is said by `events`. */
export class MemoryStream implements ByteStream {
  /** BOUNDED: by the test. */
  readonly written: { readonly data: Uint8Array; readonly fds: readonly number[] }[] = [];
  /** Told of each write, after it. */
  onWrite: (data: Uint8Array, fds: readonly number[]) => void = () => undefined;
  /** What `write` answers. */
  hasRoom = true;
  isPaused = false;
  isClosed = false;
  readonly #events: ByteStreamEvents;

  constructor(events: ByteStreamEvents) {
    this.#events = events;
  }

  write(data: Uint8Array, fds: readonly number[]): boolean {
    if (this.isClosed) throw new Error('write on a closed stream');
    const copy = { data: Uint8Array.from(data), fds: [...fds] };
    this.written.push(copy);
    this.onWrite(copy.data, copy.fds);
    return this.hasRoom;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The receiver may keep nothing of `data`: it is overwritten afterwards, as the addon's buffer is. */
  deliver(data: Uint8Array, fds: readonly number[] = []): void {
    if (this.isClosed) throw new Error('delivery on a closed stream');
    const borrowed = Uint8Array.from(data);
    this.#events.onData(borrowed, fds);
    borrowed.fill(0xee);
  }

  end(): void {
    this.#events.onEnd();
  }

  fail(error: Error): void {
    this.#events.onError(error);
  }

  drain(): void {
    this.hasRoom = true;
    this.#events.onDrain();
  }
}
