import { deferred } from '@pp/base';
import type { ByteStream, ByteStreamEvents, CloseFd } from './byte-stream';
import { ProtocolError } from './errors';
import { SaslHandshake } from './sasl';
import { Framer, type Incoming } from './wire/framer';

export interface ConnectionOptions {
  /** Who is at the other end, for error sentences: "the D-Bus system bus at unix:path=...". */
  readonly peer: string;
  /** Connects; throws when nobody listens. */
  readonly open: (events: ByteStreamEvents) => ByteStream;
  readonly closeFd: CloseFd;
  readonly uid: number;
  /** Expected of the server, when its address says it. */
  readonly guid: string | undefined;
  readonly onMessage: (message: Incoming) => void;
  /** See `FramerOptions`. */
  readonly onDropped: (headerBytes: number) => void;
}

/**
 * A stream on which messages go after a handshake. When the peer reads slower than we write, we stop reading until it has caught
 * up, so that what is queued stays bounded by what was asked.
 */
export class Connection {
  /** Settles when messages may be sent; rejects when the handshake fails. */
  readonly authenticated: Promise<void>;
  /** Settles once, when the connection has ended: with the reason, or undefined after `close`. */
  readonly closed: Promise<Error | undefined>;

  readonly #options: ConnectionOptions;
  readonly #stream: ByteStream;
  readonly #framer: Framer;
  readonly #authenticated = deferred<undefined>();
  readonly #closed = deferred<Error | undefined>();
  #handshake: SaslHandshake | undefined;
  #isClosed = false;

  /** Throws what `open` throws. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.authenticated = this.#authenticated.promise;
    this.closed = this.#closed.promise;
    this.#framer = new Framer({
      closeFd: options.closeFd,
      onDropped: options.onDropped,
      onMessage: (message) => {
        if (!this.#isClosed) options.onMessage(message); // else it has no descriptors: the framer has closed all
      },
    });
    this.#stream = options.open({
      onData: (data, fds) => {
        this.#receive(data, fds);
      },
      onEnd: () => {
        this.#end(new Error(`${options.peer} closed the connection`));
      },
      onError: (cause) => {
        this.#end(new Error(`the connection to ${options.peer} failed`, { cause }));
      },
      onDrain: () => {
        this.#stream.resume();
      },
    });
    const { uid, guid } = options;
    this.#handshake = new SaslHandshake({
      uid,
      guid,
      send: (bytes) => {
        this.send(bytes, []);
      },
    });
    this.#handshake.begin();
  }

  /**
   * Queues a whole message; the descriptors stay the caller's. Nothing happens on a closed connection. No descriptors before the
   * first reply: dbus-daemon loses those that arrive together with the end of the handshake.
   */
  send(bytes: Uint8Array, fds: readonly number[]): void {
    if (!this.#isClosed && !this.#stream.write(bytes, fds)) this.#stream.pause();
  }

  /** Idempotent. */
  close(): void {
    this.#end(undefined);
  }

  /** Ends the connection for a reason of ours. */
  fail(reason: Error): void {
    this.#end(reason);
  }

  #receive(data: Uint8Array, fds: readonly number[]): void {
    try {
      if (this.#handshake === undefined) this.#framer.push(data, fds);
      else this.#authenticate(this.#handshake, data, fds);
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      this.#end(new Error(`the connection to ${this.#options.peer} is of no use`, { cause }));
    }
  }

  #authenticate(handshake: SaslHandshake, data: Uint8Array, fds: readonly number[]): void {
    if (fds.length > 0) this.#framer.push(new Uint8Array(), fds); // refuses and owns them
    const rest = handshake.receive(data);
    if (rest === undefined) return;
    this.#handshake = undefined;
    this.#authenticated.resolve(undefined);
    this.#framer.push(rest, []);
  }

  #end(reason: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.close();
    this.#framer.close();
    if (this.#handshake !== undefined)
      this.#authenticated.reject(reason ?? new Error('closed during the handshake'));
    this.#closed.resolve(reason);
  }
}
