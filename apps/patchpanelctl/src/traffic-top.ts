import { table } from '@pp/daemon';
import type { Dimension } from './traffic-args';
import { bytesText, dimensionText, rowJson, type TrafficRow } from './traffic-text';

/** A row and what passed in each second since the look before. */
export interface RatedRow {
  readonly row: TrafficRow;
  /** Bytes a second. */
  readonly rxRate: number;
  readonly txRate: number;
}

/** The busiest first. Sums that are less than before (the service began anew) have no rate. */
export function rated(
  by: readonly Dimension[],
  before: readonly TrafficRow[],
  now: readonly TrafficRow[],
  elapsedSec: number,
): readonly RatedRow[] {
  const keyOf = (row: TrafficRow): string => by.map((each) => dimensionText(row, each)).join(' ');
  const known = new Map(before.map((row) => [keyOf(row), row]));
  const rate = (sum: bigint, former: bigint): number => Math.max(0, Number(sum - former)) / elapsedSec;
  return now
    .map((row) => {
      const old = known.get(keyOf(row));
      const [rxBytes, txBytes] = [old?.rxBytes ?? 0n, old?.txBytes ?? 0n];
      return { row, rxRate: rate(row.rxBytes, rxBytes), txRate: rate(row.txBytes, txBytes) };
    })
    .sort((a, b) => b.rxRate + b.txRate - (a.rxRate + a.txRate));
}

export function topText(by: readonly Dimension[], rows: readonly RatedRow[]): string {
  if (rows.length === 0) return 'nothing was counted yet\n';
  return table(
    [...by, 'rx/s', 'tx/s', 'rx', 'tx'],
    rows.map(({ row, rxRate, txRate }) => [
      ...by.map((dimension) => dimensionText(row, dimension)),
      bytesText(rxRate),
      bytesText(txRate),
      bytesText(row.rxBytes),
      bytesText(row.txBytes),
    ]),
  );
}

/** One line. Rates in whole bytes a second. */
export function topJson(by: readonly Dimension[], rows: readonly RatedRow[]): string {
  const texts = rows.map(({ row, rxRate, txRate }) =>
    rowJson(by, row, `,"rx_rate":${Math.round(rxRate)},"tx_rate":${Math.round(txRate)}`),
  );
  return `{"by":${JSON.stringify(by)},"rows":[${texts.join(',')}]}\n`;
}
