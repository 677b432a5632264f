import { millis, type Millis } from '@pp/base';
import { addressKey, addressOf, macNumber, type AddressKey } from './keys';
import type { Limits } from './limits';

/** Where a node is: on which segment, and its Ethernet address there. */
export interface Location {
  readonly address: Uint8Array;
  readonly ifindex: number;
  /** null: known from before a restart; not asked yet. */
  readonly mac: Uint8Array | null;
  readonly heardAt: Millis;
  /** It said itself that it has the address; else it only used it, or checks it for duplicates. */
  readonly certainty: 'advertised' | 'used' | 'tentative';
  /** Questions sent since it was heard, and when the next is due. */
  readonly probes: number;
  readonly dueAt: Millis;
}

export interface Sighting {
  readonly address: Uint8Array;
  readonly ifindex: number;
  readonly mac: Uint8Array | null;
  readonly certainty: Location['certainty'];
  /** False: O was 0, so it does not take the place of what is known better, RFC 4861 §7.2.5. */
  readonly override: boolean;
}

/** A change of where a node is. */
export type Move =
  | { readonly to: 'located'; readonly address: Uint8Array; readonly ifindex: number }
  | { readonly to: 'lost'; readonly address: Uint8Array; readonly ifindex: number };

/** A location as it is kept. Thousands are: the address is in the key alone, since sixteen bytes of their own take two hundred. */
class Held implements Location {
  heardAt: Millis;
  certainty: Location['certainty'];
  probes = 0;
  dueAt: Millis;

  constructor(
    readonly key: AddressKey,
    readonly ifindex: number,
    readonly mac: Uint8Array | null,
    certainty: Location['certainty'],
    now: Millis,
    dueAt: Millis,
  ) {
    this.heardAt = now;
    this.certainty = certainty;
    this.dueAt = dueAt;
  }

  get address(): Uint8Array {
    return addressOf(this.key);
  }
}

/** An advertised location holds so long against an advertisement without O, RFC 4861 §10, REACHABLE_TIME. */
const REACHABLE = millis(30_000);
/** Who was heard within this keeps its place: else a flood of made-up addresses would change routes at its own pace. */
const SETTLED = millis(10_000);
/** Hearing a node more often than this changes nothing: it costs as much as the rest of a message. */
const FRESH = millis(1000);

/**
 * Nodes by address, as heard. BOUNDED: by interface and by Ethernet address; what goes first is what was only used or checked, oldest
 * first, so that a scan cannot push out neighbours that answer. Who finds no place is proxied all the same, but not remembered.
 */
export class LocationTable {
  readonly #byAddress = new Map<AddressKey, Held>();
  /** Addresses of an interface, oldest first: those that advertised, and the others. */
  readonly #byInterface = new Map<
    number,
    { readonly sure: Set<AddressKey>; readonly unsure: Set<AddressKey> }
  >();
  readonly #byMac = new Map<string, Set<AddressKey>>();

  constructor(
    private readonly limits: Limits,
    private readonly onMove: (move: Move) => void,
  ) {}

  get size(): number {
    return this.#byAddress.size;
  }

  get(address: Uint8Array): Location | undefined {
    return this.#byAddress.get(addressKey(address));
  }

  /** Where a node is that was heard within REACHABLE_TIME of RFC 4861 §10, and has said that the address is its own. */
  reachable(address: Uint8Array, now: Millis): Location | undefined {
    const known = this.get(address);
    return known?.certainty === 'advertised' && now - known.heardAt < REACHABLE ? known : undefined;
  }

  entries(): Iterable<Location> {
    return this.#byAddress.values();
  }

  /** A view may be given: it is copied when kept. True: the address was not known. */
  learn(sighting: Sighting, now: Millis): boolean {
    const key = addressKey(sighting.address);
    const known = this.#byAddress.get(key);
    if (known === undefined) this.#insert(key, sighting, now);
    else if (isSamePlace(known, sighting)) {
      if (!isFresh(known, sighting, now)) this.#refresh(key, known, sighting, now);
    } else if (sighting.override || isIncomplete(known, sighting) || now - known.heardAt > REACHABLE) {
      this.#unlink(key, known);
      if (known.ifindex !== sighting.ifindex) this.#tell('lost', known);
      this.#insert(key, sighting, now, known.ifindex === sighting.ifindex);
    }
    return known === undefined;
  }

  /** The node was asked; the next question is due at `dueAt`. */
  probed(address: Uint8Array, dueAt: Millis): void {
    const known = this.#byAddress.get(addressKey(address));
    if (known === undefined) return;
    known.probes += 1;
    known.dueAt = dueAt;
  }

  forget(address: Uint8Array): void {
    const key = addressKey(address);
    const known = this.#byAddress.get(key);
    if (known === undefined) return;
    this.#unlink(key, known);
    this.#tell('lost', known);
  }

  forgetInterface(ifindex: number): void {
    for (const { address } of [...this.#byAddress.values()].filter((each) => each.ifindex === ifindex))
      this.forget(address);
  }

  #insert(key: AddressKey, sighting: Sighting, now: Millis, quietly = false): void {
    if (!this.#makeRoom(sighting, now)) return;
    const mac = this.#macOf(sighting);
    const { ifindex, certainty } = sighting;
    const held = new Held(key, ifindex, mac, certainty, now, this.#dueAt(certainty, mac, now));
    this.#byAddress.set(key, held);
    this.#link(key, held);
    if (!quietly) this.#tell('located', held);
  }

  /** A copy; one for all addresses behind it. */
  #macOf(sighting: Sighting): Uint8Array | null {
    const [other] = this.#byMac.get(macKey(sighting)) ?? [];
    const known = other === undefined ? undefined : this.#byAddress.get(other);
    return known?.mac ?? sighting.mac?.slice() ?? null;
  }

  #refresh(key: AddressKey, held: Held, { certainty }: Sighting, now: Millis): void {
    held.heardAt = now;
    held.probes = 0;
    if (raises(certainty, held.certainty)) held.certainty = certainty;
    held.dueAt = this.#dueAt(held.certainty, held.mac, now);
    const ranks = this.#ranksOf(held.ifindex);
    ranks.unsure.delete(key);
    ranks.sure.delete(key);
    (held.certainty === 'advertised' ? ranks.sure : ranks.unsure).add(key);
  }

  #dueAt(certainty: Location['certainty'], mac: Uint8Array | null, now: Millis): Millis {
    if (mac === null) return now;
    const { probeAfter, probeTentativeAfter } = this.limits;
    return millis(now + (certainty === 'tentative' ? probeTentativeAfter : probeAfter));
  }

  /** False: there is none, because all that could go were heard a moment ago. */
  #makeRoom(sighting: Sighting, now: Millis): boolean {
    const behind = this.#byMac.get(macKey(sighting));
    if (
      behind !== undefined &&
      behind.size >= this.limits.neighborsPerMac &&
      !this.#evict(behind, sighting, now)
    )
      return false;
    const { sure, unsure } = this.#ranksOf(sighting.ifindex);
    if (sure.size + unsure.size < this.limits.neighborsPerInterface) return true;
    return this.#evict(unsure.size > 0 ? unsure : sure, sighting, now);
  }

  /** The oldest that is unsure, else the oldest; but nobody who was just heard leaves for another who is no surer. */
  #evict(keys: ReadonlySet<AddressKey>, { certainty }: Sighting, now: Millis): boolean {
    let victim: Held | undefined;
    for (const key of keys) {
      const held = this.#byAddress.get(key);
      victim ??= held;
      if (held?.certainty === 'advertised') continue;
      victim = held;
      break;
    }
    if (victim === undefined) return false;
    const isSurer = certainty === 'advertised' && victim.certainty !== 'advertised';
    if (!isSurer && now - victim.heardAt < SETTLED) return false;
    this.forget(victim.address);
    return true;
  }

  #link(key: AddressKey, held: Held): void {
    const { sure, unsure } = this.#ranksOf(held.ifindex);
    (held.certainty === 'advertised' ? sure : unsure).add(key);
    if (held.mac === null) return;
    const behind = this.#byMac.get(macKey(held));
    if (behind === undefined) this.#byMac.set(macKey(held), new Set([key]));
    else behind.add(key);
  }

  #unlink(key: AddressKey, held: Held): void {
    this.#byAddress.delete(key);
    const ranks = this.#ranksOf(held.ifindex);
    ranks.sure.delete(key);
    ranks.unsure.delete(key);
    if (ranks.sure.size + ranks.unsure.size === 0) this.#byInterface.delete(held.ifindex);
    const behind = this.#byMac.get(macKey(held));
    behind?.delete(key);
    if (behind?.size === 0) this.#byMac.delete(macKey(held));
  }

  #ranksOf(ifindex: number): { readonly sure: Set<AddressKey>; readonly unsure: Set<AddressKey> } {
    const ranks = this.#byInterface.get(ifindex);
    if (ranks !== undefined) return ranks;
    const made = { sure: new Set<AddressKey>(), unsure: new Set<AddressKey>() };
    this.#byInterface.set(ifindex, made);
    return made;
  }

  #tell(to: Move['to'], { address, ifindex }: Held): void {
    this.onMove({ to, address, ifindex });
  }
}

/** Heard a moment ago, and this sighting says no more: the order of the oldest need not be finer. */
const isFresh = (held: Held, { certainty }: Sighting, now: Millis): boolean =>
  now - held.heardAt < FRESH && held.probes === 0 && !raises(certainty, held.certainty);

const raises = (certainty: Location['certainty'], above: Location['certainty']): boolean =>
  certainty !== above && certainty !== 'tentative' && above !== 'advertised';

/** RFC 4861 §7.2.5: where nobody has answered before, an answer is believed with O or without. */
const isIncomplete = (held: Held, { certainty }: Sighting): boolean =>
  certainty === 'advertised' && (held.mac === null || held.certainty === 'tentative');

const isSamePlace = (held: Held, { ifindex, mac }: Sighting): boolean =>
  held.ifindex === ifindex && held.mac !== null && (mac === null || macNumber(held.mac) === macNumber(mac));

const macKey = ({ ifindex, mac }: Pick<Held, 'ifindex' | 'mac'>): string =>
  mac === null ? '' : `${ifindex}/${macNumber(mac)}`;
