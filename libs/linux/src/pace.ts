import { millis, type Cancel, type Clock } from '@pp/base';

/** Batches that come faster than this, one after the other, are a stream. */
const GAP_MS = 1;
/** So many in a row. */
const STREAM = 8;
/** A stream is looked at so often. */
const TICK = millis(2);
/** Looks that find nothing, after which it is none. */
const EMPTY_LOOKS = 2;
/** BOUNDED: batches of one look; others have a turn after it. */
const MAX_BATCHES = 16;

/** A socket that reports to the event loop, or, while it is paused, when it is asked. */
export interface PausableSocket {
  pause(): void;
  resume(): void;
  /** Reports a batch of what waits; 0: nothing does. */
  receive(): number;
}

/**
 * Decides when a socket wakes the process: for each batch, as long as they come singly. A stream of them is gathered: 500 times a second
 * whatever waits, since waking up costs several times what a packet does.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #timer: string;
  readonly #socket: () => PausableSocket;
  #lastAt = -Infinity;
  #quick = 0;
  #empty = 0;
  #isPaced = false;
  #isOpen = true;
  #cancel: Cancel = () => undefined;

  /** `timer`: its name. `socket`: not called before the first batch. */
  constructor(clock: Clock, timer: string, socket: () => PausableSocket) {
    this.#clock = clock;
    this.#timer = timer;
    this.#socket = socket;
  }

  /** The socket has reported a batch. */
  noticeBatch(): void {
    if (this.#isPaced || !this.#isOpen) return;
    const now = this.#clock.now();
    this.#quick = now - this.#lastAt < GAP_MS ? this.#quick + 1 : 0;
    this.#lastAt = now;
    if (this.#quick < STREAM) return;
    this.#isPaced = true;
    this.#socket().pause();
    this.#lookLater();
  }

  close(): void {
    this.#isOpen = false;
    this.#cancel();
  }

  #lookLater(): void {
    this.#cancel = this.#clock.after(this.#timer, TICK, () => {
      this.#look();
    });
  }

  #look(): void {
    let batches = 0;
    while (this.#isOpen && batches < MAX_BATCHES && this.#socket().receive() > 0) batches++;
    if (!this.#isOpen) return;
    this.#empty = batches === 0 ? this.#empty + 1 : 0;
    if (this.#empty < EMPTY_LOOKS) {
      this.#lookLater();
      return;
    }
    [this.#quick, this.#empty] = [0, 0];
    this.#isPaced = false;
    this.#socket().resume();
  }
}
