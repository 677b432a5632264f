import { BoundedMap, seconds, type Millis } from '@pp/base';

/** A station that has stopped to be a detour is taken for one so long. */
const FORGOTTEN_AFTER = seconds(600);
/** They are looked for so often at most: where there must be one, where there may be, and where it is known. */
const LOOKED_FOR_EVERY = { looped: seconds(1), doubtful: seconds(10), known: seconds(60) };
const MAX_DETOURS = 64;

/**
 * Stations (by Ethernet address, see macNumber) that brought to one of our segments what we had sent on another: another bridge beside us,
 * or the last of several. What such a station passes on may be on its way round. BOUNDED: the oldest leaves first.
 */
export class Detours {
  readonly #seenAt = new BoundedMap<number, Millis>(MAX_DETOURS, () => undefined);
  #lookedAt = -Infinity;
  /** When to look for them; Infinity: not. */
  lookDueAt = Infinity;

  /** There was one: else nothing need be asked. */
  get areKnown(): boolean {
    return this.#seenAt.size > 0;
  }

  has(station: number, now: Millis): boolean {
    const seenAt = this.#seenAt.get(station);
    return seenAt !== undefined && now - seenAt < FORGOTTEN_AFTER;
  }

  add(station: number, now: Millis): void {
    this.#seenAt.set(station, now);
  }

  /** The station has sent what looped, or may have: they are to be looked for, if that was not done just now. */
  suspect(station: number, why: 'looped' | 'doubtful', now: Millis): void {
    const every = LOOKED_FOR_EVERY[this.has(station, now) ? 'known' : why];
    if (now - this.#lookedAt >= every) this.lookDueAt = now;
  }

  looked(now: Millis): void {
    this.#lookedAt = now;
    this.lookDueAt = Infinity;
  }
}
