import { seconds, type Cancel, type Clock, type Millis } from '@pp/base';
import { DBUS_ERROR, DBusError } from './errors';
import type { FdBundle } from './fd-bundle';
import type { MessageWriter } from './message-writer';
import { decodeBody, type RawBody } from './wire/body';
import type { ErrorHeader, ReturnHeader } from './wire/header';
import type { Body } from './wire/values';

export interface CallRequest {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: Body;
  /** Sent as copies: they stay the caller's. */
  readonly fds?: readonly number[];
  /** Default 25 s. */
  readonly timeout?: Millis;
  readonly signal?: AbortSignal;
  /** The reply's descriptors are wanted; without it they are closed on arrival. */
  readonly acceptFds?: boolean;
}

export interface CallReply {
  readonly signature: string;
  readonly body: Body;
  /** The caller's to close; empty without `acceptFds`. */
  readonly fds: readonly number[];
}

type ReplyHeader = ReturnHeader | ErrorHeader;

interface PendingCall {
  readonly what: string;
  readonly acceptFds: boolean;
  readonly resolve: (reply: CallReply) => void;
  readonly reject: (error: unknown) => void;
  readonly release: () => void;
}

const DEFAULT_TIMEOUT = seconds(25);
const MAX_PENDING = 65_536;

/** The calls that this end has made and that have no reply yet. */
export class Calls {
  readonly #writer: MessageWriter;
  readonly #clock: Clock;
  readonly #pending = new Map<number, PendingCall>(); // BOUNDED: MAX_PENDING, each for its timeout at most
  #closedBy: DBusError | undefined;

  constructor(writer: MessageWriter, clock: Clock) {
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Rejects with a DBusError (an error reply, no reply in time, bus gone), the signal's reason, or a TypeError for bad arguments. */
  call(request: CallRequest): Promise<CallReply> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy !== undefined) throw this.#closedBy;
      request.signal?.throwIfAborted();
      if (this.#pending.size >= MAX_PENDING) {
        throw new DBusError(
          DBUS_ERROR.limitsExceeded,
          `${MAX_PENDING} D-Bus calls wait for their replies already`,
        );
      }
      const { destination, path, interface: interfaceName, member, signature, body: values, fds } = request;
      const serial = this.#writer.send(
        { type: 'call', destination, path, interface: interfaceName, member, signature, values },
        fds,
      );
      const what = `${interfaceName}.${member} of ${destination}`;
      this.#pending.set(serial, {
        what,
        acceptFds: request.acceptFds ?? false,
        resolve,
        reject,
        release: this.#limit(serial, what, request),
      });
    });
  }

  /** A reply that nobody waits for is dropped. */
  receive(header: ReplyHeader, body: RawBody | undefined, fds: FdBundle): void {
    const call = this.#take(header.replySerial);
    if (call !== undefined) settle(call, header, body, fds);
    fds.close();
  }

  /** Ends all calls, and those to come. */
  close(sentence: string): void {
    this.#closedBy = new DBusError(DBUS_ERROR.disconnected, sentence);
    for (const serial of [...this.#pending.keys()]) this.#take(serial)?.reject(this.#closedBy);
  }

  /** Arms the timer and the abort signal; returns what disarms them. */
  #limit(serial: number, what: string, { timeout = DEFAULT_TIMEOUT, signal }: CallRequest): Cancel {
    const cancelTimer = this.#clock.after('dbus.call', timeout, () => {
      this.#take(serial)?.reject(
        new DBusError(DBUS_ERROR.noReply, `${what} did not reply within ${timeout} ms`),
      );
    });
    const onAbort = (): void => {
      this.#take(serial)?.reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    return () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  #take(serial: number): PendingCall | undefined {
    const call = this.#pending.get(serial);
    this.#pending.delete(serial);
    call?.release();
    return call;
  }
}

function settle(call: PendingCall, header: ReplyHeader, body: RawBody | undefined, fds: FdBundle): void {
  if (body === undefined) {
    call.reject(new DBusError(DBUS_ERROR.limitsExceeded, `the reply to ${call.what} is too large`));
    return;
  }
  const decoded = decodeBody(body);
  if (header.type === 'error') {
    call.reject(
      new DBusError(header.errorName, errorSentence(call.what, decoded.ok ? decoded.body[0] : undefined)),
    );
  } else if (decoded.ok) {
    call.resolve({
      signature: header.signature,
      body: decoded.body,
      fds: call.acceptFds ? fds.takeAll() : [],
    });
  } else {
    call.reject(
      new DBusError(DBUS_ERROR.invalidArgs, `the reply to ${call.what} is malformed: ${decoded.why}`),
    );
  }
}

/** By convention the first value of an error reply is a sentence. */
function errorSentence(what: string, first: unknown): string {
  return typeof first === 'string' && first !== '' ? first : `${what} failed`;
}
