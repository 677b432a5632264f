import { millis, type Cancel, type Clock, type Millis } from '@pp/base';
import type { BatchSocket } from '@pp/native';

/** What is a stream of packets, and how long it may be gathered. */
export interface Gathering {
  /** Batches that come faster than this, one after the other, are a stream. */
  readonly gap: Millis;
  /** What waits is looked at so often at least. */
  readonly longest: Millis;
}

/** So many batches in a row. */
const STREAM = 8;
/** What waits is looked at so often at most. */
const SHORTEST = millis(2);
/** So many are to come together, if the time that may be taken is enough for it. */
const GATHERED = 16;
/** Looks that find nothing, after which it is no stream. */
const EMPTY_LOOKS = 2;
/** BOUNDED: batches of one look; others have a turn after it. */
const MAX_BATCHES = 16;

export interface PaceOptions extends Gathering {
  readonly clock: Clock;
  /** Name of its timer. */
  readonly timer: string;
  /** Packets that the socket reports together at most: fewer were all that waited. */
  readonly batch: number;
  /** Not called before the first batch. */
  readonly socket: () => BatchSocket;
}

/**
 * Decides when a socket wakes the process: for each batch, as long as they come singly. A stream of them is gathered, and looked at some
 * hundred times a second, since waking up costs several times what a packet does.
 */
export class Pace {
  readonly #options: PaceOptions;
  #lastAt = -Infinity;
  #quick = 0;
  #empty = 0;
  #span = SHORTEST;
  #isPaced = false;
  #isOpen = true;
  #cancel: Cancel = () => undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** The socket has reported a batch. */
  noticeBatch(): void {
    if (this.#isPaced || !this.#isOpen) return;
    const now = this.#options.clock.now();
    this.#quick = now - this.#lastAt < this.#options.gap ? this.#quick + 1 : 0;
    this.#lastAt = now;
    if (this.#quick < STREAM) return;
    [this.#isPaced, this.#span, this.#empty] = [true, SHORTEST, 0];
    this.#options.socket().pause();
    this.#lookLater();
  }

  close(): void {
    this.#isOpen = false;
    this.#cancel();
  }

  #lookLater(): void {
    this.#cancel = this.#options.clock.after(this.#options.timer, this.#span, this.#look);
  }

  readonly #look = (): void => {
    const found = this.#receiveAll();
    if (!this.#isOpen) return;
    this.#empty = found === 0 ? this.#empty + 1 : 0;
    if (this.#empty < EMPTY_LOOKS) {
      this.#span = spanAfter(this.#span, found, this.#options.longest);
      this.#lookLater();
      return;
    }
    [this.#isPaced, this.#quick] = [false, 0];
    this.#options.socket().resume();
  };

  /** How many there were. */
  #receiveAll(): number {
    const { socket, batch } = this.#options;
    let sum = 0;
    for (let batches = 0, count = batch; this.#isOpen && count === batch && batches < MAX_BATCHES; batches++)
      sum += count = socket().receive();
    return sum;
  }
}

/** The time that GATHERED take, if they come as those did that were found. */
function spanAfter(span: Millis, found: number, longest: Millis): Millis {
  const next = Math.round((span * GATHERED) / Math.max(1, found));
  return millis(Math.max(SHORTEST, Math.min(longest, next)));
}
