import { millis, type Clock, type Millis } from '@pp/base';

/** What is a stream of packets, and how long it may be gathered. */
export interface Gathering {
  /** Packets that follow each other faster than this are a stream; one that slows down to half of it is none any more. */
  readonly gap: Millis;
  /** A packet of a stream waits so long at most. */
  readonly longest: Millis;
}

/** So many reports in a row. */
const STREAM = 8;
/** Gathering for less does not pay. */
const SHORTEST = millis(2);
/** A wait is for so many, if the time that may be taken is enough for it. */
const GATHERED = 12;

export interface PaceOptions extends Gathering {
  readonly clock: Pick<Clock, 'now'>;
  /** Packets that are reported together at most: fewer were all that there were. */
  readonly batch: number;
}

/**
 * Decides how long a socket waits between two reports: not at all as long as packets come singly. A stream of them is gathered, since
 * waking up costs several times what a packet does.
 */
export class Pace {
  readonly #options: PaceOptions;
  #emptiedAt = -Infinity;
  #found = 0;
  #quick = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** How long to wait after a report of `count` packets; 0: not at all. */
  waitAfter(count: number): Millis {
    const { clock, batch, gap, longest } = this.#options;
    this.#found += count;
    if (count >= batch) return millis(0); // more wait, probably
    const now = clock.now();
    const apart = (now - this.#emptiedAt) / this.#found;
    [this.#emptiedAt, this.#found] = [now, 0];
    this.#quick = apart < (this.#quick < STREAM ? gap : 2 * gap) ? this.#quick + 1 : 0;
    if (this.#quick < STREAM) return millis(0);
    return millis(Math.max(SHORTEST, Math.min(longest, Math.round(apart * GATHERED))));
  }
}
