import type { StreamHandle } from '@pp/native';
import { MemoryLog } from '@pp/base/testing';
import { startBus, type Bus } from '../bus';
import { byteStream } from '../native-stream';
import { DEFAULT_LIMITS } from '../server/admission';
import { decodeBody } from '../wire/body';
import { encodeMessage, type Outgoing } from '../wire/encode';
import { Framer, type Incoming } from '../wire/framer';
import { native } from './bus-lab';
import { realClock } from './real-clock';

/** What a message said: an error's name, or a return's values. */
export type Answer = unknown;

/** A message bus that is the test itself, at the other end of a real socket pair: it may send bytes and descriptors of any kind. */
export class SocketBus {
  /** By the serials of their calls. BOUNDED: by the test. */
  readonly answers = new Map<number, Answer>();
  readonly #peer: StreamHandle;
  readonly #framer = new Framer({
    closeFd: (fd) => {
      native.closeFd(fd);
    },
    onDropped: () => undefined,
    onMessage: (message) => {
      this.#receive(message);
    },
  });
  #isTalking = false;

  private constructor(fd: number) {
    const ignore = (): void => undefined;
    this.#peer = native.adoptStream(fd, {
      onData: (data, fds) => {
        this.#onData(data, fds);
      },
      onEnd: ignore,
      onError: ignore,
    });
  }

  /** The bus, and a program that is connected to it. */
  static async start(): Promise<{ daemon: SocketBus; bus: Bus }> {
    const [ours, theirs] = native.socketPair('stream');
    const daemon = new SocketBus(ours);
    const bus = await startBus({
      peer: 'the bus of this test',
      open: (events) => byteStream(events, (options) => native.adoptStream(theirs, options)),
      closeFd: (fd) => {
        native.closeFd(fd);
      },
      uid: 0,
      guid: undefined,
      clock: realClock,
      log: new MemoryLog(),
      limits: DEFAULT_LIMITS,
    });
    return { daemon, bus };
  }

  /** The descriptors stay the caller's. */
  send(bytes: Uint8Array, fds: readonly number[] = []): void {
    this.#peer.write(bytes, fds);
  }

  /** Goes away, even in the middle of a message. */
  close(): void {
    this.#peer.close();
    this.#framer.close();
  }

  #onData(data: Uint8Array, fds: readonly number[]): void {
    if (this.#isTalking) {
      this.#framer.push(data, fds);
      return;
    }
    const line = Buffer.from(data).toString('latin1');
    if (line.includes('AUTH')) this.send(Buffer.from('OK 00\r\n'));
    else if (line.includes('NEGOTIATE')) this.send(Buffer.from('AGREE_UNIX_FD\r\n'));
    else this.#isTalking = true;
    const begin = line.indexOf('BEGIN\r\n');
    if (begin >= 0) this.#framer.push(data.subarray(begin + 'BEGIN\r\n'.length), []);
  }

  #receive({ header, body, fds }: Incoming): void {
    fds.close();
    if (header.type === 'call') this.#reply({ type: 'return', replySerial: header.serial });
    if (header.type === 'error') this.answers.set(header.replySerial, header.errorName);
    if (header.type !== 'return' || body === undefined) return;
    const decoded = decodeBody(body);
    this.answers.set(header.replySerial, decoded.ok ? decoded.body : decoded.why);
  }

  /** Hello is the one call that matters. */
  #reply(reply: Outgoing): void {
    const message = { ...reply, sender: 'org.freedesktop.DBus', signature: 's', values: [':1.7'] };
    this.send(encodeMessage(message, 1));
  }
}
