import type { Connection } from './connection';
import { encodeMessage, type Outgoing } from './wire/encode';

/** A message to be sent. */
export interface Draft extends Omit<Outgoing, 'serial' | 'sender' | 'unixFds'> {
  /** Stay the caller's: the connection makes copies. */
  readonly fds?: readonly number[] | undefined;
}

/** Numbers and marshals what this end sends. */
export class MessageWriter {
  readonly #connection: Connection;
  #serial = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Queues the message and returns its serial. Throws as `encodeMessage` does. */
  send({ fds = [], ...draft }: Draft): number {
    const serial = this.#nextSerial();
    this.#connection.send(encodeMessage({ serial, unixFds: fds.length, ...draft }), fds);
    return serial;
  }

  /** 1 to 2^32 - 1, again and again: a call of the round before has timed out long ago. */
  #nextSerial(): number {
    this.#serial = (this.#serial % 0xffffffff) + 1;
    return this.#serial;
  }
}
