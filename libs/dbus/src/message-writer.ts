import type { Connection } from './connection';
import { encodeMessage, type Outgoing } from './wire/encode';

/** Numbers and marshals what this end sends. */
export class MessageWriter {
  readonly #connection: Connection;
  #serial = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Queues the message and returns its serial; the descriptors stay the caller's. Throws as `encodeMessage` does. */
  send(message: Outgoing, fds: readonly number[] = []): number {
    const serial = this.#nextSerial();
    this.#connection.send(encodeMessage(message, serial, fds.length), fds);
    return serial;
  }

  /** 1 to 2^32 - 1, again and again: a call of the round before has timed out long ago. */
  #nextSerial(): number {
    this.#serial = (this.#serial % 0xffffffff) + 1;
    return this.#serial;
  }
}
