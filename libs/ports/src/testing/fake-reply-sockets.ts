import { KernelError } from '@pp/base';
import type { ReplySocket, ReplySocketOptions, ReplySockets } from '../reply-sockets';

const FIRST_FREE_PORT = 32_768;

/** Ports in memory. Strict: a port that is taken is EADDRINUSE. */
export class FakeReplySockets implements ReplySockets {
  readonly #open = new Map<string, ReplySocketOptions>(); // BOUNDED: by the test
  /** "address:port" of other programs. */
  readonly taken = new Set<string>();
  #next = FIRST_FREE_PORT;

  /** "192.0.2.1:5000", sorted. */
  get openPorts(): readonly string[] {
    return [...this.#open.keys()].sort();
  }

  open(options: ReplySocketOptions): ReplySocket {
    const port = options.port === 0 ? this.#next++ : options.port;
    const key = `${options.address}:${port}`;
    if (this.#open.has(key) || this.taken.has(key)) throw new KernelError('EADDRINUSE', `bind ${key}`);
    this.#open.set(key, options);
    return {
      port,
      close: () => {
        if (this.#open.get(key) === options) this.#open.delete(key);
      },
    };
  }

  /** A datagram arrives from the network; nobody has the port: an error of the test. */
  deliver(to: string, data: Uint8Array, fromAddress: string, fromPort: number): void {
    const socket = this.#open.get(to);
    if (socket === undefined) throw new Error(`nobody listens on ${to}`);
    socket.onDatagram(data.slice(), fromAddress, fromPort);
  }
}
