import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { startBus, type Bus } from '../bus';
import { DEFAULT_LIMITS, type AdmissionLimits } from '../server/admission';
import { decodeBody } from '../wire/body';
import { encodeMessage, type Outgoing } from '../wire/encode';
import { Framer, type Incoming } from '../wire/framer';
import type { Header } from '../wire/header';
import type { Body } from '../wire/values';
import { FdLedger } from './fd-ledger';
import { MemoryStream } from './memory-stream';
import { rawMessage } from './raw-message';

/** A message that the subject sent. */
export interface Sent {
  readonly header: Header;
  readonly body: Body;
  readonly fds: readonly number[];
}

/** A message for the subject. `bytes` instead of `values` is a body that need not be valid. */
export interface Delivery extends Omit<Outgoing, 'type'> {
  readonly type?: Outgoing['type'];
  readonly serial?: number;
  readonly bytes?: Uint8Array;
  readonly fds?: readonly number[];
}

const SENDER = ':1.42';

/** A message bus that is the test itself, for one client: it answers the handshake and Hello, and the rest is the test's to say. */
export class ScriptedBus {
  readonly ledger = new FdLedger();
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  /** BOUNDED: by the test. */
  readonly sent: Sent[] = [];
  /** Answers by member, given as soon as the call has been written; a member without one waits for the test. */
  readonly answers = new Map<string, (call: Sent) => Delivery>([
    ['Hello', () => ({ type: 'return', signature: 's', values: [':1.7'] })],
    ['AddMatch', () => ({ type: 'return' })],
    ['RemoveMatch', () => ({ type: 'return' })],
  ]);
  readonly #framer = new Framer({
    closeFd: () => undefined,
    onDropped: () => undefined,
    onMessage: (message) => {
      this.#receive(message);
    },
  });
  #stream: MemoryStream | undefined;
  #began = false;
  #serial = 1000;

  get stream(): MemoryStream {
    if (this.#stream === undefined) throw new Error('not connected');
    return this.#stream;
  }

  connect(limits: AdmissionLimits = DEFAULT_LIMITS): Promise<Bus> {
    return startBus({
      peer: 'the bus of this test',
      uid: 0,
      guid: undefined,
      open: (events) => {
        const stream = new MemoryStream(events);
        stream.onWrite = (data, fds) => {
          queueMicrotask(() => {
            this.#onWrite(data, fds);
          });
        };
        this.#stream = stream;
        return stream;
      },
      closeFd: this.ledger.close,
      clock: this.clock,
      log: this.log,
      limits,
    });
  }

  deliver(delivery: Delivery): void {
    this.stream.deliver(this.encode(delivery), delivery.fds ?? []);
  }

  /** The bytes of a message as the bus would write it: with a sender. */
  encode({ bytes, serial = this.#serial++, fds = [], ...rest }: Delivery): Uint8Array {
    const message = { type: 'call', sender: SENDER, ...rest } as const;
    return bytes === undefined
      ? encodeMessage(message, serial, fds.length)
      : rawMessage(message, serial, bytes, fds.length);
  }

  /** Replies to a call of the subject. */
  reply(to: Sent, delivery: Delivery): void {
    this.deliver({
      type: 'return',
      sender: 'org.freedesktop.DBus',
      ...delivery,
      replySerial: to.header.serial,
    });
  }

  /** Waits until the subject has sent `count` messages that match, and returns them. */
  async expectSent(count: number, matches: (sent: Sent) => boolean): Promise<readonly Sent[]> {
    for (let turn = 0; turn < 100; turn += 1) {
      const found = this.sent.filter(matches);
      if (found.length >= count) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`only ${this.sent.filter(matches).length} of ${count} messages were sent`);
  }

  #onWrite(data: Uint8Array, fds: readonly number[]): void {
    if (this.stream.isClosed) return;
    if (this.#began) {
      this.#framer.push(data, fds);
      return;
    }
    const text = Buffer.from(data).toString('latin1');
    if (text.includes('AUTH')) this.stream.deliver(Buffer.from('OK 00\r\n'));
    else if (text.includes('NEGOTIATE')) this.stream.deliver(Buffer.from('AGREE_UNIX_FD\r\n'));
    else this.#began = text.includes('BEGIN');
  }

  #receive({ header, body: raw, fds }: Incoming): void {
    const decoded = raw === undefined ? undefined : decodeBody(raw);
    if (decoded?.ok !== true)
      throw new Error(`the subject sent a malformed body: ${decoded?.why ?? 'too large'}`);
    const sent = { header, body: decoded.body, fds: fds.takeAll() };
    this.sent.push(sent);
    const answer = header.type === 'call' ? this.answers.get(header.member) : undefined;
    if (answer !== undefined) this.reply(sent, answer(sent));
  }
}
