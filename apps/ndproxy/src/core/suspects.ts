import { BoundedMap, type Millis } from '@pp/base';
import { addressKey, addressOf, macNumber, macOf, type AddressKey } from './keys';
import type { Limits } from './limits';

/** An address that a node on a downstream may have. */
export interface Suspect {
  readonly address: Uint8Array;
  readonly ifindex: number;
  /** null: not known. */
  readonly mac: Uint8Array | null;
}

/** The address is the key, and the Ethernet address a number: bytes of their own for each take two hundred. */
interface Held {
  readonly ifindex: number;
  readonly mac: number | null;
  /** Questions left; Infinity: until another takes its place. */
  left: number;
  askedAt: number;
  wait: number;
  dueAt: number;
}

/**
 * Addresses to ask for again: of nodes that fell silent (a VM that was suspended uses its addresses on without a word when it is resumed),
 * and those that a link-local address suggests (a node need not check for duplicates). Asked for rarely, and at once when their
 * node is heard from any other address. BOUNDED: the oldest leaves first.
 */
export class Suspects {
  readonly #held: BoundedMap<AddressKey, Held>;
  /** By Ethernet address. BOUNDED: as the above. */
  readonly #byStation = new Map<number, Set<AddressKey>>();
  /** Nothing is due before. */
  #dueAt = Infinity;

  constructor(private readonly limits: Limits) {
    this.#held = new BoundedMap(limits.suspects, (key, held) => {
      this.#unlink(key, held);
    });
  }

  get size(): number {
    return this.#held.size;
  }

  /** It answers no more; asked for seldom, for as long as there is room. */
  addSilent(suspect: Suspect, now: Millis): void {
    const { suspectInterval } = this.limits;
    this.#add(suspect, { left: Infinity, askedAt: now, wait: suspectInterval, dueAt: now + suspectInterval });
  }

  /** It would be of the node that has this link-local address. */
  addSuggested(suspect: Suspect, now: Millis): void {
    if (this.#held.get(addressKey(suspect.address)) !== undefined) return;
    const { probes, probeInterval } = this.limits;
    this.#add(suspect, { left: probes, askedAt: -Infinity, wait: probeInterval, dueAt: now });
  }

  forgetInterface(ifindex: number): void {
    for (const [key, held] of [...this.#held.entries()])
      if (held.ifindex === ifindex) this.#delete(key, held);
  }

  /**
   * A node was heard: that address is no suspect any more, and what it may have besides is asked for now, but not more often than once in
   * a probe interval.
   */
  heard(address: Uint8Array, ifindex: number, mac: Uint8Array | null, now: Millis): void {
    if (this.#held.size === 0) return;
    const known = this.#held.get(addressKey(address));
    if (known !== undefined) this.#delete(addressKey(address), known);
    if (mac === null) return;
    for (const key of this.#byStation.get(macNumber(mac)) ?? []) {
      const held = this.#held.get(key);
      if (held?.ifindex !== ifindex) continue;
      held.dueAt = Math.min(held.dueAt, Math.max(now, held.askedAt + this.limits.probeInterval));
      this.#dueAt = Math.min(this.#dueAt, held.dueAt);
    }
  }

  /** Who is to be asked for now; asking again waits twice as long. */
  due(now: Millis): readonly Suspect[] {
    const due = [...this.#held.entries()].filter(([, held]) => held.dueAt <= now);
    for (const [key, held] of due) {
      held.left -= 1;
      if (held.left <= 0) this.#delete(key, held);
      held.askedAt = now;
      held.dueAt = now + held.wait;
      held.wait = Math.min(held.wait * 2, this.limits.suspectIntervalMax);
    }
    this.#dueAt = Infinity;
    for (const [, { dueAt }] of this.#held.entries()) this.#dueAt = Math.min(this.#dueAt, dueAt);
    return due.map(([key, { ifindex, mac }]) => ({
      address: addressOf(key),
      ifindex,
      mac: mac === null ? null : macOf(mac),
    }));
  }

  /** `due` says nothing before that; Infinity: there are none. */
  nextDue(): number {
    return this.#held.size === 0 ? Infinity : this.#dueAt;
  }

  #add(suspect: Suspect, times: Pick<Held, 'left' | 'askedAt' | 'wait' | 'dueAt'>): void {
    const key = addressKey(suspect.address);
    const mac = suspect.mac === null ? null : macNumber(suspect.mac);
    const before = this.#held.get(key);
    if (before !== undefined) this.#unlink(key, before);
    this.#held.set(key, { ifindex: suspect.ifindex, mac, ...times });
    this.#dueAt = Math.min(this.#dueAt, times.dueAt);
    if (mac === null) return;
    const others = this.#byStation.get(mac);
    if (others === undefined) this.#byStation.set(mac, new Set([key]));
    else others.add(key);
  }

  #delete(key: AddressKey, held: Held): void {
    this.#held.delete(key);
    this.#unlink(key, held);
  }

  #unlink(key: AddressKey, { mac }: Held): void {
    if (mac === null) return;
    const others = this.#byStation.get(mac);
    others?.delete(key);
    if (others?.size === 0) this.#byStation.delete(mac);
  }
}

/** Modified EUI-64, RFC 4291 appendix A: made from an Ethernet address, and so the same under every prefix. */
export const isEui64 = (address: Uint8Array): boolean => address[11] === 0xff && address[12] === 0xfe;

/** The address of this prefix (64 bits) with the interface identifier of another address. */
export function underPrefix(prefix: Uint8Array, of: Uint8Array): Uint8Array {
  const address = of.slice();
  address.set(prefix.subarray(0, 8));
  return address;
}
