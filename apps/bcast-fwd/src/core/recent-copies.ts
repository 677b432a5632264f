import type { Millis } from '@pp/base';

/** BOUNDED: slots of fixed tables; a datagram takes the place of what was in its slot. */
const SLOTS = 1 << 13;

/** Of a payload, by FNV-1a and by a hash with another prime. */
export interface PayloadHash {
  readonly first: number;
  readonly second: number;
}

export function hashOf(payload: Uint8Array): PayloadHash {
  let first = -2128831035;
  let second = 5381;
  for (let i = 0; i < payload.length; i++) {
    const byte = payload[i] ?? 0;
    first = Math.imul(first ^ byte, 16777619);
    second = (Math.imul(second, 33) + byte) | 0;
  }
  return { first: first ^ payload.length, second };
}

interface Ports {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * Datagrams that were sent on an interface in the last moments, by ports and payload: addresses, id, TTL and checksums are what relays
 * change. One that comes in on that interface is what was sent, or what another relay has made of the same original: two relays in
 * parallel would pass it round for ever.
 */
export class RecentCopies {
  readonly #first = new Int32Array(SLOTS);
  readonly #second = new Int32Array(SLOTS);
  readonly #ports = new Int32Array(SLOTS);
  readonly #ifindex = new Int32Array(SLOTS);
  readonly #sentAt = new Float64Array(SLOTS).fill(-Infinity);

  constructor(private readonly window: Millis) {}

  noteSent(ifindex: number, { sourcePort, destinationPort }: Ports, hash: PayloadHash, now: Millis): void {
    const ports = portsWord(sourcePort, destinationPort);
    const slot = slotOf(ifindex, ports, hash);
    this.#first[slot] = hash.first;
    this.#second[slot] = hash.second;
    this.#ports[slot] = ports;
    this.#ifindex[slot] = ifindex;
    this.#sentAt[slot] = now;
  }

  wasSent(ifindex: number, { sourcePort, destinationPort }: Ports, hash: PayloadHash, now: Millis): boolean {
    const ports = portsWord(sourcePort, destinationPort);
    const slot = slotOf(ifindex, ports, hash);
    return (
      this.#first[slot] === hash.first &&
      this.#second[slot] === hash.second &&
      this.#ports[slot] === ports &&
      this.#ifindex[slot] === ifindex &&
      now - (this.#sentAt[slot] ?? 0) < this.window
    );
  }
}

const portsWord = (sourcePort: number, destinationPort: number): number =>
  (sourcePort << 16) | destinationPort;

const slotOf = (ifindex: number, ports: number, { first }: PayloadHash): number =>
  ((first ^ Math.imul(ifindex, 0x9e3779b1) ^ Math.imul(ports, 0x85ebca6b)) >>> 8) & (SLOTS - 1);
