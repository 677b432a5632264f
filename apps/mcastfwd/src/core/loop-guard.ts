import type { Millis } from '@pp/base';
import type { Group } from './group';

/** A payload is remembered this long after it was first seen. */
const WINDOW_MS = 1000;
/** Copies of one payload within the window: probes come three times, impatient queriers a little oftener. */
const MAX_COPIES = 20;
const SILENCE_MS = 10_000;
/**
 * Searches with sessions of their own are alike though searchers are many: so many may come from other interfaces than the first before
 * they are held to be a loop. A loop of two relays ends when both have spent these.
 */
const MAX_TWINS = 3;

/** BOUNDED: newer payloads take the places of older ones. A power of two. */
const PLACES = 16_384;

export type Admission = 'new' | 'looped' | 'storm' | 'storm-begins';

/**
 * Remembers what was received and what was sent, by two hashes of the payload. A payload that first came by one interface is not taken
 * from another one: a relay beside us has passed it on. So two relays side by side end with a copy each.
 */
export class LoopGuard {
  readonly #first = new Int32Array(PLACES);
  readonly #second = new Int32Array(PLACES);
  readonly #origin = new Int32Array(PLACES);
  readonly #copies = new Uint8Array(PLACES); // up to MAX_COPIES + 1
  readonly #twins = new Uint8Array(PLACES); // no more than copies
  readonly #since = new Float64Array(PLACES).fill(-Infinity);
  readonly #silentUntil = new Float64Array(PLACES).fill(-Infinity);

  /** A packet came in by an interface. `isSession`: it is passed on from a port of its own, for a searcher of its own. */
  admit({ first, second }: PayloadHash, ifindex: number, isSession: boolean, now: Millis): Admission {
    const place = first & (PLACES - 1);
    if (this.#first[place] !== first || this.#second[place] !== second) {
      this.#put(place, first, second, ifindex, now);
      return 'new';
    }
    if (now < (this.#silentUntil[place] ?? 0)) return 'storm';
    if (now - (this.#since[place] ?? 0) >= WINDOW_MS) {
      this.#put(place, first, second, ifindex, now);
      return 'new';
    }
    const copies = (this.#copies[place] ?? 0) + 1;
    this.#copies[place] = copies;
    if (copies > MAX_COPIES) {
      this.#silentUntil[place] = now + SILENCE_MS;
      return 'storm-begins';
    }
    if (this.#origin[place] === ifindex) return 'new';
    const twins = (this.#twins[place] ?? 0) + 1;
    this.#twins[place] = twins;
    return isSession && twins <= MAX_TWINS ? 'new' : 'looped';
  }

  /** A payload that came by `ifindex` goes out changed: when it comes back so, it is known. */
  sent({ first, second }: PayloadHash, ifindex: number, now: Millis): void {
    const place = first & (PLACES - 1);
    const isKnown = this.#first[place] === first && this.#second[place] === second;
    if (isKnown && now - (this.#since[place] ?? 0) < WINDOW_MS) return;
    if (!isKnown) this.#silentUntil[place] = -Infinity;
    this.#put(place, first, second, ifindex, now);
  }

  #put(place: number, first: number, second: number, ifindex: number, now: Millis): void {
    if (this.#first[place] !== first || this.#second[place] !== second) this.#silentUntil[place] = -Infinity;
    this.#first[place] = first;
    this.#second[place] = second;
    this.#origin[place] = ifindex;
    this.#copies[place] = 1;
    this.#twins[place] = 0;
    this.#since[place] = now;
  }
}

/** Two hashes of 32 bits. */
export interface PayloadHash {
  readonly first: number;
  readonly second: number;
}

/** FNV-1a, and another with another prime. The same bytes mean different things to different groups. */
export function payloadHash(bytes: Uint8Array, { port, family }: Group): PayloadHash {
  const seed = port * 2 + (family === 'ipv4' ? 0 : 1);
  let [first, second] = [-2128831035 ^ seed, 5381 + seed];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    first = Math.imul(first ^ byte, 16777619);
    second = (Math.imul(second, 33) + byte) | 0;
  }
  return { first: first ^ (first >>> 15), second };
}
