import type { CloseFd } from '../byte-stream';
import { ProtocolError } from '../errors';
import { FdBundle } from '../fd-bundle';
import type { RawBody } from './body';
import { decodeFixedHeader, decodeHeader, type FixedHeader } from './decode-header';
import type { Header } from './header';
import { KnownCalls } from './usual-fields';
import { FIXED_HEADER_BYTES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, MAX_QUEUED_FDS } from './limits';

/** A whole message with its own descriptors, which the receiver must take or close. */
export interface Incoming {
  readonly header: Header;
  /** Undefined when the message was too large to be kept. */
  readonly body: RawBody | undefined;
  readonly fds: FdBundle;
}

export interface FramerOptions {
  readonly closeFd: CloseFd;
  readonly onMessage: (message: Incoming) => void;
  /** A message was dropped whose header alone is too large, so that not even its sender is known. */
  readonly onDropped: (headerBytes: number) => void;
}

/**
 * Cuts a stream into messages. Descriptors are queued as they arrive, and each message takes as many as its UNIX_FDS field says:
 * the kernel delivers them no later than the first byte of their message, and never with one before. A message is copied once,
 * into a buffer of its own; of one that is too large only the header is kept and the rest skipped.
 */
export class Framer {
  readonly #options: FramerOptions;
  readonly #fds: number[] = []; // BOUNDED: MAX_QUEUED_FDS
  readonly #start = Buffer.alloc(FIXED_HEADER_BYTES);
  /** Of the message that is being collected, once its start is known. */
  #fixed: FixedHeader | undefined;
  /** What is being filled: the start, then the message. */
  #buffer = this.#start;
  #filled = 0;
  #toSkip = 0;
  readonly #calls = new KnownCalls();

  constructor(options: FramerOptions) {
    this.#options = options;
  }

  /** Takes the next bytes, which stay the caller's, and the descriptors. Throws ProtocolError; then only `close` may follow. */
  push(chunk: Uint8Array, fds: readonly number[]): void {
    for (const fd of fds) this.#fds.push(fd);
    if (this.#fds.length > MAX_QUEUED_FDS)
      throw new ProtocolError('more file descriptors than messages ask for');
    for (let at = 0; at < chunk.length;)
      at += this.#toSkip > 0 ? this.#skip(chunk.length - at) : this.#fill(chunk, at);
    const isBetweenMessages = this.#filled === 0 && this.#toSkip === 0;
    if (isBetweenMessages && this.#fds.length > 0)
      throw new ProtocolError('file descriptors that belong to no message');
  }

  /** Closes the descriptors that no message has taken. */
  close(): void {
    for (const fd of this.#fds.splice(0)) this.#options.closeFd(fd);
  }

  #skip(available: number): number {
    const count = Math.min(available, this.#toSkip);
    this.#toSkip -= count;
    return count;
  }

  #fill(chunk: Uint8Array, at: number): number {
    const count = Math.min(chunk.length - at, this.#buffer.length - this.#filled);
    this.#buffer.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    if (this.#fixed === undefined && this.#filled === FIXED_HEADER_BYTES)
      this.#begin(decodeFixedHeader(this.#start));
    if (this.#fixed !== undefined && this.#filled === this.#buffer.length) this.#finish(this.#fixed);
    return count;
  }

  #begin(fixed: FixedHeader): void {
    const messageBytes = fixed.headerBytes + fixed.bodyBytes;
    if (fixed.headerBytes > MAX_HEADER_BYTES) {
      this.#drop(fixed.headerBytes, messageBytes);
      return;
    }
    this.#fixed = fixed;
    this.#buffer = Buffer.allocUnsafe(messageBytes > MAX_MESSAGE_BYTES ? fixed.headerBytes : messageBytes);
    this.#buffer.set(this.#start);
  }

  /** Its UNIX_FDS field is not read. No other message can own what is queued: the chunk ends inside this one. */
  #drop(headerBytes: number, messageBytes: number): void {
    this.close();
    this.#filled = 0;
    this.#toSkip = messageBytes - FIXED_HEADER_BYTES;
    this.#options.onDropped(headerBytes);
  }

  #finish(fixed: FixedHeader): void {
    const buffer = this.#buffer;
    const { header, unixFds } = decodeHeader(buffer, fixed, this.#calls);
    if (unixFds > this.#fds.length) {
      throw new ProtocolError(`a message claims ${unixFds} file descriptors where ${this.#fds.length} came`);
    }
    const fds = new FdBundle(this.#fds.splice(0, unixFds), this.#options.closeFd);
    this.#toSkip = fixed.headerBytes + fixed.bodyBytes - buffer.length;
    this.#fixed = undefined;
    this.#buffer = this.#start;
    this.#filled = 0;
    if (header === undefined) fds.close();
    else this.#options.onMessage({ header, body: this.#body(fixed, header, buffer, unixFds), fds });
  }

  #body(fixed: FixedHeader, header: Header, buffer: Buffer, fdCount: number): RawBody | undefined {
    if (this.#toSkip > 0) return undefined;
    const bytes = buffer.subarray(fixed.headerBytes);
    return { bytes, signature: header.signature, bigEndian: fixed.bigEndian, fdCount };
  }
}
