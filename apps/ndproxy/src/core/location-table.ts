import { millis, type Millis } from '@pp/base';
import { NONE } from './address-rows';
import { macNumber } from './keys';
import type { Limits } from './limits';
import { LocationRows, type Station } from './location-rows';

/** Where a node is: on which segment, and its Ethernet address there. */
export interface Place {
  readonly ifindex: number;
  /** null: known from before a restart; not asked yet. */
  readonly mac: Uint8Array | null;
  readonly heardAt: Millis;
  /** It said itself that it has the address; else it only used it, or checks it for duplicates. */
  readonly certainty: 'advertised' | 'used' | 'tentative';
  /** Questions sent since it was heard. */
  readonly probes: number;
}

export interface Location extends Place {
  readonly address: Uint8Array;
}

export interface Sighting {
  readonly address: Uint8Array;
  readonly ifindex: number;
  readonly mac: Uint8Array | null;
  readonly certainty: Place['certainty'];
  /** False: O was 0, so it does not take the place of what is known better, RFC 4861 §7.2.5. */
  readonly override: boolean;
}

/** A change of where a node is. */
export interface Move {
  readonly to: 'located' | 'lost';
  readonly address: Uint8Array;
  readonly ifindex: number;
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
  readonly #rows: LocationRows;

  /** `seed`: see AddressRows. */
  constructor(
    private readonly limits: Limits,
    private readonly onMove: (move: Move) => void,
    seed = 0,
  ) {
    this.#rows = new LocationRows(seed);
  }

  get size(): number {
    return this.#rows.size;
  }

  get(address: Uint8Array): Place | undefined {
    const row = this.#rows.find(address);
    return row === NONE ? undefined : this.#rows.placeAt(row);
  }

  /** Where a node is that was heard within REACHABLE_TIME of RFC 4861 §10, and has said that the address is its own. */
  reachable(address: Uint8Array, now: Millis): Place | undefined {
    const known = this.get(address);
    return known?.certainty === 'advertised' && now - known.heardAt < REACHABLE ? known : undefined;
  }

  *entries(): IterableIterator<Location> {
    for (const row of this.#rows.all()) yield this.#rows.locationAt(row);
  }

  /** Whose time to be asked, or forgotten, has come. */
  due(now: Millis): readonly Location[] {
    return this.#rows.due(now).map((row) => this.#rows.locationAt(row));
  }

  /** A view may be given: it is copied when kept. True: the address was not known. */
  learn(sighting: Sighting, now: Millis): boolean {
    const row = this.#rows.find(sighting.address);
    if (row === NONE) {
      if (this.#insert(sighting, now)) this.#tell('located', sighting.address.slice(), sighting.ifindex);
    } else if (isAt(this.#rows.stationOf(row), sighting)) {
      if (!this.#isFresh(row, sighting, now)) this.#refresh(row, sighting, now);
    } else if (this.#gives(row, sighting, now)) this.#move(row, sighting, now);
    return row === NONE;
  }

  /** The node was asked; the next question is due at `dueAt`. */
  probed(address: Uint8Array, dueAt: Millis): void {
    const row = this.#rows.find(address);
    if (row !== NONE) this.#rows.probed(row, dueAt);
  }

  forget(address: Uint8Array): void {
    const row = this.#rows.find(address);
    if (row !== NONE) this.#forget(row);
  }

  forgetInterface(ifindex: number): void {
    for (const row of this.#rows.all())
      if (this.#rows.stationOf(row).segment.ifindex === ifindex) this.#forget(row);
  }

  #forget(row: number): void {
    const { segment } = this.#rows.stationOf(row);
    const address = this.#rows.addressAt(row);
    this.#rows.remove(row);
    this.#tell('lost', address, segment.ifindex);
  }

  /** False: there is no place. */
  #insert(sighting: Sighting, now: Millis): boolean {
    const hasRoom = this.#makeRoom(sighting, now);
    if (hasRoom) this.#rows.add(sighting, now, this.#dueAt(sighting.certainty, sighting.mac, now));
    return hasRoom;
  }

  /** Heard a moment ago, and this sighting says no more: the order of the oldest need not be finer. */
  #isFresh(row: number, { certainty }: Sighting, now: Millis): boolean {
    const rows = this.#rows;
    return (
      now - rows.heardAt(row) < FRESH && rows.probesOf(row) === 0 && !raises(certainty, rows.certaintyOf(row))
    );
  }

  #refresh(row: number, { certainty }: Sighting, now: Millis): void {
    const before = this.#rows.certaintyOf(row);
    const after = raises(certainty, before) ? certainty : before;
    this.#rows.refresh(row, after, now, this.#dueAt(after, this.#rows.stationOf(row).mac, now));
  }

  /** Whether what is known of a node yields to the sighting of it elsewhere. */
  #gives(row: number, { certainty, override }: Sighting, now: Millis): boolean {
    if (override || now - this.#rows.heardAt(row) > REACHABLE) return true;
    // RFC 4861 §7.2.5: where nobody has answered before, an answer is believed with O or without
    const isIncomplete =
      this.#rows.stationOf(row).mac === null || this.#rows.certaintyOf(row) === 'tentative';
    return certainty === 'advertised' && isIncomplete;
  }

  /** To another segment, or to another Ethernet address of the same. */
  #move(row: number, sighting: Sighting, now: Millis): void {
    const address = this.#rows.addressAt(row);
    const { ifindex } = this.#rows.stationOf(row).segment;
    const isSameSegment = ifindex === sighting.ifindex;
    this.#rows.remove(row);
    if (!isSameSegment) this.#tell('lost', address, ifindex);
    const isPlaced = this.#insert(sighting, now);
    if (isPlaced && !isSameSegment) this.#tell('located', address, sighting.ifindex);
    if (!isPlaced && isSameSegment) this.#tell('lost', address, ifindex);
  }

  #dueAt(certainty: Place['certainty'], mac: Uint8Array | null, now: Millis): Millis {
    if (mac === null) return now;
    const { probeAfter, probeTentativeAfter } = this.limits;
    return millis(now + (certainty === 'tentative' ? probeTentativeAfter : probeAfter));
  }

  /** False: there is none, because all that could go were heard a moment ago. */
  #makeRoom(sighting: Sighting, now: Millis): boolean {
    const { neighborsPerMac, neighborsPerInterface } = this.limits;
    const station = sighting.mac === null ? undefined : this.#rows.station(sighting);
    if (station !== undefined && station.rows.size >= neighborsPerMac) {
      if (!this.#evict(this.#weakestBehind(station), sighting, now)) return false;
    }
    const segment = this.#rows.segment(sighting.ifindex);
    if (segment === undefined || segment.sure.size + segment.unsure.size < neighborsPerInterface) return true;
    return this.#evict(segment.unsure.size > 0 ? segment.unsure.first : segment.sure.first, sighting, now);
  }

  /** The first that came and has not advertised, else the first. */
  #weakestBehind({ rows: { first } }: Station): number {
    let row = first;
    while (row !== NONE && this.#rows.certaintyOf(row) === 'advertised') row = this.#rows.nextBehind(row);
    return row === NONE ? first : row;
  }

  /** False: nobody who was just heard leaves for another who is no surer. */
  #evict(row: number, { certainty }: Sighting, now: Millis): boolean {
    const isSurer = certainty === 'advertised' && this.#rows.certaintyOf(row) !== 'advertised';
    if (!isSurer && now - this.#rows.heardAt(row) < SETTLED) return false;
    this.#forget(row);
    return true;
  }

  #tell(to: Move['to'], address: Uint8Array, ifindex: number): void {
    this.onMove({ to, address, ifindex });
  }
}

const raises = (certainty: Place['certainty'], above: Place['certainty']): boolean =>
  certainty !== above && certainty !== 'tentative' && above !== 'advertised';

const isAt = ({ segment, mac: known }: Station, { ifindex, mac }: Sighting): boolean =>
  segment.ifindex === ifindex && known !== null && (mac === null || macNumber(known) === macNumber(mac));
