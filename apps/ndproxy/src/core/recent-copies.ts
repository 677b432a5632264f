import type { Millis } from '@pp/base';

/** BOUNDED: slots of fixed tables; what comes takes the place of what was in its slot. */
const SLOTS = 1 << 14;

/** Two hashes of 32 bits: FNV-1a, and one with another prime. */
export type Hash = Int32Array;

/** The same object each time: it is good until the next call. */
export function startHash(): Hash {
  HASH[0] = -2128831035;
  HASH[1] = 5381;
  return HASH;
}

const HASH: Hash = new Int32Array(2);

export function mix(hash: Hash, bytes: Uint8Array, from: number, to: number): void {
  let [first, second] = [hash[0] ?? 0, hash[1] ?? 0];
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    first = Math.imul(first ^ byte, 16777619);
    second = (Math.imul(second, 33) + byte) | 0;
  }
  hash[0] = first;
  hash[1] = second;
}

export function mixByte(hash: Hash, byte: number): void {
  hash[0] = Math.imul((hash[0] ?? 0) ^ byte, 16777619);
  hash[1] = Math.imul(hash[1] ?? 0, 33) + byte;
}

/**
 * What came in the last moments, from where. The same on another interface, or from another Ethernet address, is a copy that some other
 * way between the segments has brought back.
 */
export class RecentCopies {
  readonly #first = new Int32Array(SLOTS);
  readonly #second = new Int32Array(SLOTS);
  readonly #ifindex = new Int32Array(SLOTS);
  readonly #sender = new Float64Array(SLOTS);
  readonly #seen = new Float64Array(SLOTS).fill(-Infinity);
  readonly #copies = new Uint16Array(SLOTS);
  #slot = 0;

  constructor(private readonly window: Millis) {}

  /** `sender`: its Ethernet address, see macNumber. */
  note(hash: Hash, ifindex: number, sender: number, now: Millis): 'new' | 'same way' | 'other way' {
    const [first, second] = [hash[0] ?? 0, hash[1] ?? 0];
    const slot = first & (SLOTS - 1);
    this.#slot = slot;
    const isKnown =
      this.#first[slot] === first &&
      this.#second[slot] === second &&
      now - (this.#seen[slot] ?? 0) < this.window;
    if (isKnown)
      return this.#ifindex[slot] === ifindex && this.#sender[slot] === sender ? 'same way' : 'other way';
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#ifindex[slot] = ifindex;
    this.#sender[slot] = sender;
    this.#seen[slot] = now;
    this.#copies[slot] = 0;
    return 'new';
  }

  /** Of what was noted last: how many copies were counted by now. */
  countCopy(): number {
    const copies = Math.min((this.#copies[this.#slot] ?? 0) + 1, 0xffff);
    this.#copies[this.#slot] = copies;
    return copies;
  }
}
