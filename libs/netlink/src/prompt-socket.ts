import type { NetlinkHandle } from '@pp/native';
import type { BoundSocket } from './socket';

/** What both ways of sending need. */
export type TwoWaySocket = Omit<NetlinkHandle, 'leave'>;

/** A few dozen elements: longer ones keep the kernel busy for longer than two threads take to wake each other. */
const MOST_BYTES = 4096;
/** Of a transaction of our own, many times over: somebody else had the lock. */
const PATIENCE_US = 1000;
/** So many datagrams go by the socket's thread before it is tried again. */
const WARY_SENDS = 64;

/**
 * For nftables, whose kernel takes a short transaction in 20 to 40 µs: no more than it takes to wake a thread for it, and far less than to be
 * woken by that thread again. So this thread sends it. Where it had to wait, others change tables too, and it does not wait again soon.
 */
export class PromptSocket implements BoundSocket {
  readonly #socket: TwoWaySocket;
  #byThread = 0;

  constructor(socket: TwoWaySocket) {
    this.#socket = socket;
  }

  get portId(): number {
    return this.#socket.portId;
  }

  send(datagram: Uint8Array): void {
    if (this.#byThread > 0 || datagram.length > MOST_BYTES) {
      this.#byThread = Math.max(0, this.#byThread - 1);
      this.#socket.send(datagram);
    } else if (this.#socket.sendHere(datagram) > PATIENCE_US) {
      this.#byThread = WARY_SENDS;
    }
  }

  join(group: number): void {
    this.#socket.join(group);
  }

  close(): void {
    this.#socket.close();
  }
}
