import { table } from '@pp/daemon';
import { TrafficCounterIpFamily, TrafficCounterSource, type Messages } from '@pp/proto';
import type { Dimension } from './traffic-args';

export type TrafficRow = Messages['TrafficRow'];

const NUMBERS = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const;
const KEYS = { rxBytes: 'rx_bytes', txBytes: 'tx_bytes', rxPackets: 'rx_packets', txPackets: 'tx_packets' };

/** What a row says of a dimension, in the API's words. */
export function dimensionText(row: TrafficRow, dimension: Dimension): string {
  switch (dimension) {
    case 'host':
    case 'guest':
    case 'uplink':
    case 'hour':
      return row[dimension];
    case 'source':
      return nameIn(TrafficCounterSource, row.source);
    case 'family':
      return nameIn(TrafficCounterIpFamily, row.ipFamily);
  }
}

const nameIn = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? String(value);

/** A table for people. */
export function reportText(by: readonly Dimension[], rows: readonly TrafficRow[]): string {
  if (rows.length === 0) return 'nothing was counted\n';
  return table(
    [...by, 'rx', 'tx', 'rx packets', 'tx packets'],
    rows.map((row) => [
      ...by.map((dimension) => dimensionText(row, dimension)),
      bytesText(row.rxBytes),
      bytesText(row.txBytes),
      String(row.rxPackets),
      String(row.txPackets),
    ]),
  );
}

/** RFC 4180, with a head line. */
export function reportCsv(by: readonly Dimension[], rows: readonly TrafficRow[]): string {
  const lines = [
    [...by, ...NUMBERS.map((name) => KEYS[name])],
    ...rows.map((row) => [
      ...by.map((each) => dimensionText(row, each)),
      ...NUMBERS.map((name) => String(row[name])),
    ]),
  ];
  return lines.map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One JSON object in one line; numbers are exact, whatever their size. */
export function reportJson(
  month: string,
  by: readonly Dimension[],
  report: Messages['TrafficReport'],
): string {
  const head = { month: month === '' ? null : month, by, months: report.months, warnings: report.warnings };
  const rows = report.rows.map((row) => rowJson(by, row, ''));
  return `${JSON.stringify(head).slice(0, -1)},"rows":[${rows.join(',')}]}\n`;
}

/** `more`: JSON text after the row's own, such as `,"rx_rate":5`. */
export function rowJson(by: readonly Dimension[], row: TrafficRow, more: string): string {
  const names = by.map((each) => `${JSON.stringify(each)}:${JSON.stringify(dimensionText(row, each))}`);
  const numbers = NUMBERS.map((name) => `"${KEYS[name]}":${row[name]}`);
  return `{${[...names, ...numbers].join(',')}${more}}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** "1.23 GB", of a thousand each. */
export function bytesText(bytes: bigint | number): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}
