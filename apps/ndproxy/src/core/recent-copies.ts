import type { Millis } from '@pp/base';
import type { Detours } from './detours';

/** Two hashes of 32 bits. */
export type Hash = Int32Array;

/** The same object each time: it is good until the next call. */
export function startHash(): Hash {
  HASH[0] = -2128831035;
  HASH[1] = 5381;
  return HASH;
}

const HASH: Hash = new Int32Array(2);

/** Four bytes at a time; the odd multipliers of FNV-1a and MurmurHash3. */
export function mix(hash: Hash, bytes: Uint8Array, from: number, to: number): void {
  let [first, second] = [hash[0] ?? 0, hash[1] ?? 0];
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const word =
      ((bytes[i] ?? 0) << 24) |
      ((bytes[i + 1] ?? 0) << 16) |
      ((bytes[i + 2] ?? 0) << 8) |
      (bytes[i + 3] ?? 0);
    first = Math.imul(first ^ word, FNV_PRIME);
    second = (Math.imul(second, MURMUR_PRIME) + word) | 0;
  }
  hash[0] = first;
  hash[1] = second;
  for (; i < to; i++) mixByte(hash, bytes[i] ?? 0);
}

export function mixByte(hash: Hash, byte: number): void {
  hash[0] = Math.imul((hash[0] ?? 0) ^ byte, FNV_PRIME);
  hash[1] = Math.imul(hash[1] ?? 0, MURMUR_PRIME) + byte;
}

const FNV_PRIME = 16777619;
const MURMUR_PRIME = 0x85ebca6b;

/**
 * What a frame is by those before it. 'looped': it has been here, and came back by another way between the segments. 'again': its sender
 * has sent it more than once. 'doubtful': so often that it may be going in a circle. 'rationed': as doubtful, and not to pass.
 */
export type Passage = 'new' | 'again' | 'doubtful' | 'rationed' | 'looped';

/** Equal frames in one window: so many more from a detour are a circle. */
const MAX_BY_DETOUR = 4;
/** From others so many may be one; that is said now, and whenever they are twice as many. */
const DOUBTFUL = 16;
/** Of so many one is left out, and at every doubling: a circle whose way round does not show itself ends by that. */
const RATIONED = 1024;

/**
 * What came in the last moments, from where. The same on another interface, or from another Ethernet address, is a copy that some other
 * way between the segments has brought back. BOUNDED: slots of fixed tables; what comes takes the place of what was in its slot.
 */
export class RecentCopies {
  readonly #first: Int32Array;
  readonly #second: Int32Array;
  readonly #ifindex: Int32Array;
  readonly #sender: Float64Array;
  readonly #seen: Float64Array;
  readonly #copies: Uint16Array;
  readonly #crossed: Uint8Array;
  readonly #shift: number;
  #slot = 0;

  /** 2 ** `bits` slots. */
  constructor(
    private readonly window: Millis,
    private readonly detours: Detours,
    bits: number,
  ) {
    const slots = 1 << bits;
    this.#shift = 32 - bits;
    this.#first = new Int32Array(slots);
    this.#second = new Int32Array(slots);
    this.#ifindex = new Int32Array(slots);
    this.#sender = new Float64Array(slots);
    this.#seen = new Float64Array(slots).fill(-Infinity);
    this.#copies = new Uint16Array(slots);
    this.#crossed = new Uint8Array(slots);
  }

  /** `sender`: its Ethernet address, see macNumber. */
  note(hash: Hash, ifindex: number, sender: number, now: Millis): Passage {
    const [first, second] = [hash[0] ?? 0, hash[1] ?? 0];
    const slot = first >>> this.#shift; // the high bits: all of what was hashed comes to bear on them
    this.#slot = slot;
    const isKnown =
      this.#first[slot] === first &&
      this.#second[slot] === second &&
      now - (this.#seen[slot] ?? 0) < this.window;
    if (isKnown) {
      const isSameWay = this.#ifindex[slot] === ifindex && this.#sender[slot] === sender;
      return isSameWay ? this.#again(slot, sender, now) : 'looped';
    }
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#ifindex[slot] = ifindex;
    this.#sender[slot] = sender;
    this.#seen[slot] = now;
    this.#copies[slot] = 0;
    this.#crossed[slot] = 0;
    return 'new';
  }

  /** Of what was noted last: how often it came after the first, by its own way. */
  get copies(): number {
    return this.#copies[this.#slot] ?? 0;
  }

  /** Of what was noted last: true once. */
  cross(): boolean {
    const isFirst = this.#crossed[this.#slot] === 0;
    this.#crossed[this.#slot] = 1;
    return isFirst;
  }

  /**
   * In a circle that began before the window each round comes by the same way as the one before, as what a host repeats does: that the
   * sender is a detour tells them apart.
   */
  #again(slot: number, sender: number, now: Millis): Passage {
    const copies = Math.min((this.#copies[slot] ?? 0) + 1, 0xffff);
    this.#copies[slot] = copies;
    if (copies > MAX_BY_DETOUR && this.detours.has(sender, now)) return 'looped';
    if (copies < DOUBTFUL || (copies & (copies - 1)) !== 0) return 'again';
    return copies < RATIONED ? 'doubtful' : 'rationed';
  }
}
