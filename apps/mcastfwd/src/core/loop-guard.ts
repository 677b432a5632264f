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

/** Where a record has what: numbers of 32 bits, bytes (`copies`: 0 where there is none yet; up to MAX_COPIES + 1), and times in ms. */
const RECORD_BYTES = 32;
const WORDS = RECORD_BYTES / 4;
const TIMES = RECORD_BYTES / 8;
const WORD = { first: 0, second: 1, origin: 2 } as const;
const BYTE = { copies: 12, twins: 13 } as const;
const TIME = { since: 2, silentUntil: 3 } as const;

export type Admission = 'new' | 'looped' | 'storm' | 'storm-begins';

/**
 * Remembers what was received and what was sent, by two hashes of the payload. A payload that first came by one interface is not taken
 * from another one: a relay beside us has passed it on. So two relays side by side end with a copy each.
 */
export class LoopGuard {
  // A record for each place, of one line of the cache: it is cold whenever a packet comes alone.
  readonly #records = new ArrayBuffer(PLACES * RECORD_BYTES);
  readonly #words = new Int32Array(this.#records);
  readonly #bytes = new Uint8Array(this.#records);
  readonly #times = new Float64Array(this.#records);

  /** A packet came in by an interface. `isSession`: it is passed on from a port of its own, for a searcher of its own. */
  admit(hash: PayloadHash, ifindex: number, isSession: boolean, now: Millis): Admission {
    const place = hash.first & (PLACES - 1);
    if (!this.#holds(place, hash)) {
      this.#put(place, hash, ifindex, now);
      return 'new';
    }
    const [word, byte, time] = [place * WORDS, place * RECORD_BYTES, place * TIMES];
    if (now < (this.#times[time + TIME.silentUntil] ?? 0)) return 'storm';
    if (now - (this.#times[time + TIME.since] ?? 0) >= WINDOW_MS) {
      this.#put(place, hash, ifindex, now);
      return 'new';
    }
    const copies = (this.#bytes[byte + BYTE.copies] ?? 0) + 1;
    this.#bytes[byte + BYTE.copies] = copies;
    if (copies > MAX_COPIES) {
      this.#times[time + TIME.silentUntil] = now + SILENCE_MS;
      return 'storm-begins';
    }
    if (this.#words[word + WORD.origin] === ifindex) return 'new';
    const twins = (this.#bytes[byte + BYTE.twins] ?? 0) + 1;
    this.#bytes[byte + BYTE.twins] = twins;
    return isSession && twins <= MAX_TWINS ? 'new' : 'looped';
  }

  /** A payload that came by `ifindex` goes out changed: when it comes back so, it is known. */
  sent(hash: PayloadHash, ifindex: number, now: Millis): void {
    const place = hash.first & (PLACES - 1);
    const since = this.#times[place * TIMES + TIME.since] ?? 0;
    if (!this.#holds(place, hash) || now - since >= WINDOW_MS) this.#put(place, hash, ifindex, now);
  }

  #holds(place: number, { first, second }: PayloadHash): boolean {
    const word = place * WORDS;
    return (
      this.#words[word + WORD.first] === first &&
      this.#words[word + WORD.second] === second &&
      this.#bytes[place * RECORD_BYTES + BYTE.copies] !== 0
    );
  }

  /** What is known of another payload in this place is forgotten, its silence too. */
  #put(place: number, hash: PayloadHash, ifindex: number, now: Millis): void {
    const [word, byte, time] = [place * WORDS, place * RECORD_BYTES, place * TIMES];
    if (!this.#holds(place, hash)) this.#times[time + TIME.silentUntil] = -Infinity;
    this.#words[word + WORD.first] = hash.first;
    this.#words[word + WORD.second] = hash.second;
    this.#words[word + WORD.origin] = ifindex;
    this.#bytes[byte + BYTE.copies] = 1;
    this.#bytes[byte + BYTE.twins] = 0;
    this.#times[time + TIME.since] = now;
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
