import type { Connection } from './connection';
import { encodeBody } from './wire/body';
import { encodeMessage, type Outgoing } from './wire/encode';
import type { Body } from './wire/values';

/** A message to be sent, with its values not yet marshalled; see `Outgoing`. */
export interface Draft extends Omit<Outgoing, 'serial' | 'body' | 'fdCount'> {
  readonly values?: Body | undefined;
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

  /** Queues the message and returns its serial. Throws TypeError or DBusError as `encodeBody` and `encodeMessage` do. */
  send({ values = [], fds = [], ...draft }: Draft): number {
    const { signature = '' } = draft;
    const body =
      signature === '' && values.length === 0 ? undefined : encodeBody(signature, values, fds.length);
    const serial = this.#nextSerial();
    this.#connection.send(encodeMessage({ ...draft, serial, body, fdCount: fds.length }), fds);
    return serial;
  }

  /** 1 to 2^32 - 1, again and again: a call of the round before has timed out long ago. */
  #nextSerial(): number {
    this.#serial = (this.#serial % 0xffffffff) + 1;
    return this.#serial;
  }
}
