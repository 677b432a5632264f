import { BoundedMap, seconds, type Millis } from '@pp/base';

/** A station that has stopped to be a detour is taken for one so long. */
const FORGOTTEN_AFTER = seconds(600);
/** They are looked for so often at most: where there must be one, where there may be, and where it is known. */
const LOOKED_FOR_EVERY = { looped: seconds(1), doubtful: seconds(10), known: seconds(60) };
const MAX_DETOURS = 64;

/** How a station showed itself to be one; `from` and `to`: the interfaces it was asked on and heard on, the last time. */
export interface Detour {
  readonly from: string;
  readonly to: string;
  readonly since: Millis;
  readonly seenAt: Millis;
  readonly times: number;
}

/**
 * Stations (by Ethernet address, see macNumber) that brought to one of our segments what we had sent on another: another bridge beside us,
 * or the last of several. What such a station passes on may be on its way round. BOUNDED: the oldest leaves first.
 */
export class Detours {
  readonly #stations = new BoundedMap<number, Detour>(MAX_DETOURS, () => undefined);
  #lookedAt = -Infinity;
  /** When to look for them; Infinity: not. */
  lookDueAt = Infinity;

  /** There was one: else nothing need be asked. */
  get areKnown(): boolean {
    return this.#stations.size > 0;
  }

  has(station: number, now: Millis): boolean {
    const known = this.#stations.get(station);
    return known !== undefined && isGood(known, now);
  }

  add(station: number, way: Pick<Detour, 'from' | 'to'>, now: Millis): void {
    const known = this.#stations.get(station);
    const before = known !== undefined && isGood(known, now) ? known : { since: now, times: 0 };
    this.#stations.set(station, { ...way, since: before.since, seenAt: now, times: before.times + 1 });
  }

  /** Those not forgotten, the one seen last at the end. */
  known(now: Millis): readonly (readonly [station: number, detour: Detour])[] {
    return [...this.#stations.entries()].filter(([, detour]) => isGood(detour, now));
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

const isGood = ({ seenAt }: Detour, now: Millis): boolean => now - seenAt < FORGOTTEN_AFTER;
