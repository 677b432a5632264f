import type { Millis } from '@pp/base';
import { AddressRows } from './address-rows';
import { macNumber } from './keys';
import type { Location, Place, Sighting } from './location-table';
import { emptyList, RowLinks, type RowList } from './row-lists';

/** An interface and who is there: those that advertised, and the others, the longest silent first. */
export interface Segment {
  readonly ifindex: number;
  readonly sure: RowList;
  readonly unsure: RowList;
  readonly stations: Map<number, Station>;
}

/** All addresses behind one Ethernet address of a segment, as they came; or all whose Ethernet address is not known. */
export interface Station {
  readonly segment: Segment;
  readonly mac: Uint8Array | null;
  readonly rows: RowList;
}

/** In the place of the number of an Ethernet address that is not known. */
const UNKNOWN = -1;

/**
 * What is kept of locations, in columns by the row of the address: there are thousands, and an object for each with its key, its Ethernet
 * address and its places in order takes five times the memory. It keeps all that it is given.
 */
export class LocationRows {
  readonly #addresses: AddressRows;
  /** undefined: the row is free. */
  readonly #stations: (Station | undefined)[] = [];
  readonly #certainties: Place['certainty'][] = [];
  readonly #heardAt: number[] = [];
  readonly #probes: number[] = [];
  /** Infinity: the row is free. */
  readonly #dueAt: number[] = [];
  readonly #segments = new Map<number, Segment>(); // BOUNDED: those where somebody is
  readonly #byRank = new RowLinks();
  readonly #byStation = new RowLinks();

  /** `seed`: see AddressRows. */
  constructor(seed: number) {
    this.#addresses = new AddressRows(seed);
  }

  get size(): number {
    return this.#addresses.size;
  }

  /** NONE: it is not here. */
  find(address: Uint8Array): number {
    return this.#addresses.find(address);
  }

  *all(): IterableIterator<number> {
    for (let row = 0; row < this.#addresses.end; row++) if (this.#stations[row] !== undefined) yield row;
  }

  segment(ifindex: number): Segment | undefined {
    return this.#segments.get(ifindex);
  }

  station({ ifindex, mac }: Pick<Sighting, 'ifindex' | 'mac'>): Station | undefined {
    return this.#segments.get(ifindex)?.stations.get(stationKey(mac));
  }

  /** The next that came behind the same Ethernet address, or NONE. */
  nextBehind(row: number): number {
    return this.#byStation.after(row);
  }

  stationOf(row: number): Station {
    const station = this.#stations[row];
    if (station === undefined) throw new Error(`row ${row} is free`);
    return station;
  }

  certaintyOf(row: number): Place['certainty'] {
    return this.#certainties[row] ?? 'tentative';
  }

  heardAt(row: number): number {
    return this.#heardAt[row] ?? 0;
  }

  probesOf(row: number): number {
    return this.#probes[row] ?? 0;
  }

  /** Whose next question is due. */
  due(now: Millis): readonly number[] {
    const due: number[] = [];
    for (let row = 0; row < this.#addresses.end; row++) if ((this.#dueAt[row] ?? 0) <= now) due.push(row);
    return due;
  }

  /** An address that is not here yet. Its bytes and those of `mac` are copied; the latter once for all addresses behind it. */
  add({ address, ifindex, mac, certainty }: Sighting, now: Millis, dueAt: Millis): void {
    const row = this.#addresses.add(address);
    const station = this.#stationFor(ifindex, mac);
    this.#stations[row] = station;
    this.#byStation.append(station.rows, row);
    this.#set(row, certainty, now, dueAt);
    this.#byRank.append(rankOf(station.segment, certainty), row);
  }

  /** It was heard once more, and is as sure as that now. */
  refresh(row: number, certainty: Place['certainty'], now: Millis, dueAt: Millis): void {
    const { segment } = this.stationOf(row);
    this.#byRank.remove(rankOf(segment, this.certaintyOf(row)), row);
    this.#set(row, certainty, now, dueAt);
    this.#byRank.append(rankOf(segment, certainty), row);
  }

  probed(row: number, dueAt: Millis): void {
    this.#probes[row] = this.probesOf(row) + 1;
    this.#dueAt[row] = dueAt;
  }

  remove(row: number): void {
    const { segment, mac, rows } = this.stationOf(row);
    this.#byRank.remove(rankOf(segment, this.certaintyOf(row)), row);
    this.#byStation.remove(rows, row);
    if (rows.size === 0) segment.stations.delete(stationKey(mac));
    if (segment.stations.size === 0) this.#segments.delete(segment.ifindex);
    this.#stations[row] = undefined;
    this.#dueAt[row] = Infinity;
    this.#addresses.remove(row);
  }

  placeAt(row: number): Place {
    const { segment, mac } = this.stationOf(row);
    return {
      ifindex: segment.ifindex,
      mac,
      heardAt: this.heardAt(row) as Millis,
      certainty: this.certaintyOf(row),
      probes: this.probesOf(row),
    };
  }

  locationAt(row: number): Location {
    return { address: this.addressAt(row), ...this.placeAt(row) };
  }

  addressAt(row: number): Uint8Array {
    return this.#addresses.addressAt(row);
  }

  #set(row: number, certainty: Place['certainty'], now: Millis, dueAt: Millis): void {
    this.#certainties[row] = certainty;
    this.#heardAt[row] = now;
    this.#probes[row] = 0;
    this.#dueAt[row] = dueAt;
  }

  #stationFor(ifindex: number, mac: Uint8Array | null): Station {
    const segment = this.#segmentFor(ifindex);
    const key = stationKey(mac);
    const known = segment.stations.get(key);
    if (known !== undefined) return known;
    const station = { segment, mac: mac?.slice() ?? null, rows: emptyList() };
    segment.stations.set(key, station);
    return station;
  }

  #segmentFor(ifindex: number): Segment {
    const known = this.#segments.get(ifindex);
    if (known !== undefined) return known;
    const segment = { ifindex, sure: emptyList(), unsure: emptyList(), stations: new Map<number, Station>() };
    this.#segments.set(ifindex, segment);
    return segment;
  }
}

const rankOf = ({ sure, unsure }: Segment, certainty: Place['certainty']): RowList =>
  certainty === 'advertised' ? sure : unsure;

const stationKey = (mac: Uint8Array | null): number => (mac === null ? UNKNOWN : macNumber(mac));
