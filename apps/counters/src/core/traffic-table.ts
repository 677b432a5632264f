export type Family = 4 | 6;
export type Direction = 'rx' | 'tx';

/** Seen from the uplink: rx came in by it. */
export interface Usage {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
}

/** What is counted apart. */
export interface TrafficKey {
  /** The guest by its key in the manager ("termina/33"); ALL: whatever passed the uplink, guests included. */
  readonly guest: string;
  /** Name of the uplink, or VPN_DEVICE. */
  readonly uplink: string;
  /** TrafficCounter.Source of the published API. */
  readonly source: number;
  readonly family: Family;
}

export interface TrafficRow extends TrafficKey, Usage {}

export const ALL = '';
/** Guests beyond the number that is kept apart. */
export const OTHERS = 'others';
/** Whatever a VPN's interface is called (spec/patchpanel.md 9). */
export const VPN_DEVICE = 'vpn';

/** More rows than this are not made for guests of their own: a host that connects namespaces all day names thousands. */
export const MAX_GUEST_ROWS = 4096;

type MutableRow = { -readonly [K in keyof TrafficRow]: TrafficRow[K] };

/** Sums by key. Every sum is of something: there are no zero rows. */
export class TrafficTable {
  /** BOUNDED: MAX_GUEST_ROWS for guests; the uplinks that this host ever had, by source and family. */
  readonly #rows = new Map<string, MutableRow>();
  readonly #maxGuestRows: number;

  constructor(rows: Iterable<TrafficRow> = [], maxGuestRows = MAX_GUEST_ROWS) {
    this.#maxGuestRows = maxGuestRows;
    for (const row of rows) this.#rows.set(keyText(row), { ...row });
  }

  get size(): number {
    return this.#rows.size;
  }

  add(key: TrafficKey, direction: Direction, bytes: bigint, packets: bigint): void {
    const row = this.#rowOf(key);
    if (direction === 'rx') {
      row.rxBytes += bytes;
      row.rxPackets += packets;
    } else {
      row.txBytes += bytes;
      row.txPackets += packets;
    }
  }

  rows(): Iterable<TrafficRow> {
    return this.#rows.values();
  }

  #rowOf(key: TrafficKey): MutableRow {
    const found = this.#rows.get(keyText(key));
    if (found !== undefined) return found;
    if (this.#rows.size >= this.#maxGuestRows && key.guest !== ALL && key.guest !== OTHERS)
      return this.#rowOf({ ...key, guest: OTHERS });
    const { guest, uplink, source, family } = key;
    const row = { guest, uplink, source, family, rxBytes: 0n, txBytes: 0n, rxPackets: 0n, txPackets: 0n };
    this.#rows.set(keyText(key), row);
    return row;
  }
}

/** Names of interfaces and guests have no blanks. */
const keyText = ({ guest, uplink, source, family }: TrafficKey): string =>
  `${guest} ${uplink} ${source} ${family}`;
