import type { Socket } from 'node:net';
import { ByteQueue } from './byte-queue';
import {
  decodeMessage,
  encodeMessage,
  HEADER_BYTES,
  MAX_DATA,
  VERSION,
  type AdbCommand,
  type AdbMessage,
} from './wire';

/** One stream of a connection, as a service sees it. */
export interface AdbStream {
  /** Resolves when the other side has taken it. */
  write(data: Buffer): Promise<void>;
  close(): void;
}

/** What answers a stream: gets its data and its end. */
export interface AdbService {
  onData(data: Buffer): void;
  onClose(): void;
}

/** Opens the service of that name ("shell:ls"), or null where there is none. */
export type ServiceOf = (name: string, stream: AdbStream) => AdbService | null;

const BANNER =
  'device::ro.product.name=lab;ro.product.model=Emulated;ro.product.device=lab;features=shell_v2,cmd';

/** One connection of an adb server, as adbd without authentication serves it. */
export class AdbConnection {
  readonly #socket: Socket;
  readonly #serviceOf: ServiceOf;
  readonly #input = new ByteQueue();
  readonly #streams = new Map<number, Stream>(); // BOUNDED: by the tests
  #lastId = 0;

  constructor(socket: Socket, serviceOf: ServiceOf) {
    this.#socket = socket;
    this.#serviceOf = serviceOf;
    socket.on('data', (data) => {
      this.#receive(data);
    });
    socket.on('error', () => undefined); // the end is told by 'close'
    socket.on('close', () => {
      for (const stream of this.#streams.values()) stream.end();
    });
  }

  #receive(data: Buffer): void {
    this.#input.push(data);
    for (;;) {
      const header = this.#input.peek(HEADER_BYTES);
      const whole =
        header === null ? null : this.#input.peek(HEADER_BYTES + Math.min(header.readUInt32LE(12), MAX_DATA));
      const decoded = whole === null ? null : decodeMessage(whole);
      if (decoded === null) return;
      this.#input.take(decoded.length);
      this.#obey(decoded.message);
    }
  }

  #obey({ command, arg0, arg1, data }: AdbMessage): void {
    switch (command) {
      case 'CNXN':
        this.#send('CNXN', VERSION, MAX_DATA, Buffer.from(`${BANNER}\0`));
        return;
      case 'OPEN':
        this.#open(arg0, data.toString('utf8').replace(/\0$/, ''));
        return;
      case 'WRTE':
        this.#streams.get(arg1)?.receive(Buffer.from(data));
        return;
      case 'OKAY':
        this.#streams.get(arg1)?.taken();
        return;
      case 'CLSE':
        this.#streams.get(arg1)?.end();
        this.#streams.delete(arg1);
        return;
      case 'AUTH':
    }
  }

  #open(remote: number, name: string): void {
    const local = ++this.#lastId;
    const stream = new Stream((command, data) => {
      if (command === 'CLSE') this.#streams.delete(local);
      this.#send(command, local, remote, data);
    });
    const service = this.#serviceOf(name, stream);
    if (service === null) {
      this.#send('CLSE', 0, remote);
      return;
    }
    this.#streams.set(local, stream);
    this.#send('OKAY', local, remote);
    stream.serve(service);
  }

  #send(command: AdbCommand, arg0: number, arg1: number, data: Buffer = Buffer.alloc(0)): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeMessage({ command, arg0, arg1, data }));
  }
}

class Stream implements AdbStream {
  readonly #send: (command: 'WRTE' | 'OKAY' | 'CLSE', data?: Buffer) => void;
  #service: AdbService | undefined;
  #waiting: (() => void) | undefined;
  #isClosed = false;

  constructor(send: (command: 'WRTE' | 'OKAY' | 'CLSE', data?: Buffer) => void) {
    this.#send = send;
  }

  serve(service: AdbService): void {
    this.#service = service;
  }

  async write(data: Buffer): Promise<void> {
    if (this.#isClosed) return;
    if (this.#waiting !== undefined) throw new Error('one write at a time');
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
      this.#send('WRTE', data);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#send('CLSE');
  }

  receive(data: Buffer): void {
    this.#service?.onData(data);
    this.#send('OKAY');
  }

  taken(): void {
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve?.();
  }

  end(): void {
    this.#isClosed = true;
    this.taken();
    this.#service?.onClose();
  }
}
