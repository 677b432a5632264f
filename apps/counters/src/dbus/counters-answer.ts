import { encode, TrafficCounterIpFamily } from '@pp/proto';
import { ALL, type TrafficRow, type TrafficTable, type Usage } from '../core/traffic-table';

/** A row, and what of it was told last. */
interface ToldRow {
  readonly row: TrafficRow;
  /** null: nothing yet. */
  sums: Usage | null;
  /** A TrafficCountersResponse with this one counter. */
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * The answer to GetTrafficCounters, sorted by device, source, family (spec/patchpanel.md 9). Serialized messages may be joined end to end, so
 * that a row which is as it was when it was last told is not encoded again: an answer costs what changed since the one before.
 */
export class CountersAnswer {
  /** In order. BOUNDED: by the totals. */
  #rows: readonly ToldRow[] = [];
  #size = 0;
  /** All rows as they are; null: some have changed since they were joined. */
  #whole: Uint8Array | null = null;

  /** `devices` empty: all. The bytes are shared by answers: nobody may write to them. */
  of(totals: TrafficTable, devices: ReadonlySet<string>): Uint8Array {
    if (this.#size !== totals.size) this.#sort(totals);
    this.#bringUpToDate();
    if (devices.size > 0) return joined(this.#rows.filter(({ row }) => devices.has(row.uplink)));
    this.#whole ??= joined(this.#rows);
    return this.#whole;
  }

  /** Rows are added and never taken away, so that their number tells. */
  #sort(totals: TrafficTable): void {
    const known = new Map(this.#rows.map((told) => [told.row, told]));
    const rows = [...totals.rows()].filter(({ guest }) => guest === ALL).sort(inOrder);
    this.#rows = rows.map((row) => known.get(row) ?? { row, sums: null, bytes: NOTHING });
    this.#size = totals.size;
    this.#whole = null;
  }

  #bringUpToDate(): void {
    for (const told of this.#rows) {
      if (told.sums !== null && isSame(told.sums, told.row)) continue;
      const { rxBytes, txBytes, rxPackets, txPackets } = told.row;
      told.sums = { rxBytes, txBytes, rxPackets, txPackets };
      told.bytes = encoded(told.row, told.sums);
      this.#whole = null;
    }
  }
}

const isSame = (a: Usage, b: Usage): boolean =>
  a.rxPackets === b.rxPackets &&
  a.txPackets === b.txPackets &&
  a.rxBytes === b.rxBytes &&
  a.txBytes === b.txBytes;

function encoded({ source, uplink: device, family }: TrafficRow, sums: Usage): Uint8Array {
  const ipFamily = family === 4 ? TrafficCounterIpFamily.IPV4 : TrafficCounterIpFamily.IPV6;
  return encode('TrafficCountersResponse', { counters: [{ source, device, ipFamily, ...sums }] });
}

const inOrder = (a: TrafficRow, b: TrafficRow): number =>
  (a.uplink < b.uplink ? -1 : a.uplink > b.uplink ? 1 : 0) || a.source - b.source || a.family - b.family;

function joined(rows: readonly ToldRow[]): Uint8Array {
  const whole = new Uint8Array(rows.reduce((length, { bytes }) => length + bytes.length, 0));
  let at = 0;
  for (const { bytes } of rows) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}
