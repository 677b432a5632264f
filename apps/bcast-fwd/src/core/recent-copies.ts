import type { Millis } from '@pp/base';

/** BOUNDED: slots of fixed tables; a datagram takes the place of what was in its slot. */
const SLOTS = 1 << 13;

/** What two copies of a datagram have in common, whatever relays change: addresses, id, TTL and checksums are not in it. */
export interface Fingerprint {
  readonly first: number;
  readonly second: number;
}

/** Ports and payload, by FNV-1a and by a hash with another prime. */
export function fingerprintOf(sourcePort: number, destinationPort: number, payload: Uint8Array): Fingerprint {
  let first = -2128831035;
  let second = 5381;
  for (const word of [sourcePort, destinationPort, payload.length]) {
    first = Math.imul(first ^ word, 16777619);
    second = (Math.imul(second, 33) + word) | 0;
  }
  for (let i = 0; i < payload.length; i++) {
    const byte = payload[i] ?? 0;
    first = Math.imul(first ^ byte, 16777619);
    second = (Math.imul(second, 33) + byte) | 0;
  }
  return { first, second };
}

/**
 * Datagrams that were sent on an interface in the last moments. One that comes in on that interface is what was sent, or what another
 * relay has made of the same original: two relays in parallel would pass it round for ever.
 */
export class RecentCopies {
  readonly #first = new Int32Array(SLOTS);
  readonly #second = new Int32Array(SLOTS);
  readonly #ifindex = new Int32Array(SLOTS);
  readonly #sentAt = new Float64Array(SLOTS).fill(-Infinity);

  constructor(private readonly window: Millis) {}

  noteSent(ifindex: number, { first, second }: Fingerprint, now: Millis): void {
    const slot = slotOf(ifindex, first);
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#ifindex[slot] = ifindex;
    this.#sentAt[slot] = now;
  }

  wasSent(ifindex: number, { first, second }: Fingerprint, now: Millis): boolean {
    const slot = slotOf(ifindex, first);
    return (
      this.#first[slot] === first &&
      this.#second[slot] === second &&
      this.#ifindex[slot] === ifindex &&
      now - (this.#sentAt[slot] ?? 0) < this.window
    );
  }
}

const slotOf = (ifindex: number, first: number): number =>
  (first ^ Math.imul(ifindex, 0x9e3779b1)) & (SLOTS - 1);
