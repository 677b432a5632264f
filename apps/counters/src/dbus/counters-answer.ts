import { encode, TrafficCounterIpFamily } from '@pp/proto';
import { ALL, type TrafficRow, type TrafficTable } from '../core/traffic-table';

interface EncodedRow {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  /** A TrafficCountersResponse with this one counter. */
  readonly bytes: Uint8Array;
}

/**
 * The answer to GetTrafficCounters, sorted by device, source, family (spec/patchpanel.md 9). Serialized messages may be joined end to end, so
 * that a row which is as it was when it was last told is not encoded again: an answer costs what changed since the one before.
 */
export class CountersAnswer {
  readonly #encoded = new WeakMap<TrafficRow, EncodedRow>();
  #sorted: readonly TrafficRow[] = [];
  #size = 0;

  /** `devices` empty: all. */
  of(totals: TrafficTable, devices: ReadonlySet<string>): Uint8Array {
    if (this.#size !== totals.size) {
      this.#sorted = [...totals.rows()].filter(({ guest }) => guest === ALL).sort(inOrder);
      this.#size = totals.size; // rows are added and never taken away
    }
    const chosen =
      devices.size === 0 ? this.#sorted : this.#sorted.filter(({ uplink }) => devices.has(uplink));
    return joined(chosen.map((row) => this.#bytesOf(row)));
  }

  #bytesOf(row: TrafficRow): Uint8Array {
    const { rxBytes, txBytes, rxPackets, txPackets } = row;
    const known = this.#encoded.get(row);
    if (known !== undefined && isSame(known, row)) return known.bytes;
    const sums = { rxBytes, txBytes, rxPackets, txPackets };
    const { source, uplink: device, family } = row;
    const ipFamily = family === 4 ? TrafficCounterIpFamily.IPV4 : TrafficCounterIpFamily.IPV6;
    const bytes = encode('TrafficCountersResponse', { counters: [{ ...sums, source, device, ipFamily }] });
    this.#encoded.set(row, { ...sums, bytes });
    return bytes;
  }
}

const isSame = (a: EncodedRow, b: TrafficRow): boolean =>
  a.rxPackets === b.rxPackets &&
  a.txPackets === b.txPackets &&
  a.rxBytes === b.rxBytes &&
  a.txBytes === b.txBytes;

const inOrder = (a: TrafficRow, b: TrafficRow): number =>
  (a.uplink < b.uplink ? -1 : a.uplink > b.uplink ? 1 : 0) || a.source - b.source || a.family - b.family;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
