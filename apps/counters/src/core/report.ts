import { accept, refuse, type Checked } from '@pp/base';
import type { Ledger } from './ledger';
import { ALL, type TrafficRow, type TrafficTable, type Usage } from './traffic-table';

export interface ReportWish {
  /** "2026-11"; '': all that was ever counted. */
  readonly month: string;
  readonly by: {
    readonly guest: boolean;
    readonly uplink: boolean;
    readonly source: boolean;
    readonly family: boolean;
    readonly hour: boolean;
    readonly host: boolean;
  };
}

/** Sums of one host, or of one hour. */
export interface LabelledTable {
  readonly table: TrafficTable;
  readonly hour?: string;
  readonly host?: string;
}

/** What was not asked for is at its default: '' or 0. */
export interface ReportRow extends Usage {
  readonly guest: string;
  readonly uplink: string;
  readonly source: number;
  readonly family: number;
  readonly hour: string;
  readonly host: string;
}

/** The host itself: what passed an uplink and is no guest's. */
export const HOST = 'host';

/** Sums in the order of their keys. */
export function report(ledger: Ledger, wish: ReportWish): Checked<readonly ReportRow[]> {
  const found = tablesOf(ledger, wish);
  return found.ok ? accept(sumsOf(found.value, wish.by)) : found;
}

/** One row for each combination of what is asked for, in the order of their keys. */
export function sumsOf(tables: Iterable<LabelledTable>, by: ReportWish['by']): readonly ReportRow[] {
  const sums = new Map<string, MutableRow>(); // BOUNDED: by the rows of the tables
  for (const labelled of tables)
    for (const row of rowsOf(labelled.table, by.guest)) addTo(sums, keyOf(row, labelled, by), row);
  return [...sums.values()].sort(inOrder);
}

function tablesOf(
  { totals, months, hours }: Ledger,
  { month, by }: ReportWish,
): Checked<readonly LabelledTable[]> {
  if (month === '')
    return by.hour
      ? refuse('InvalidArgument', 'hours are told of one month; name it, such as 2026-11')
      : accept([{ table: totals }]);
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    return refuse('InvalidArgument', `'${month}' is no month; write it as 2026-11`);
  const table = months.find(month);
  if (table === undefined)
    return refuse('NotFound', `nothing is known of ${month}; ${knownMonths(months.names())}`);
  if (!by.hour) return accept([{ table }]);
  const names = hours.names().filter((name) => name.startsWith(month));
  return accept(
    names.flatMap((hour) => {
      const each = hours.find(hour);
      return each === undefined ? [] : [{ hour, table: each }];
    }),
  );
}

const knownMonths = (months: readonly string[]): string => {
  const [first, last] = [months[0], months.at(-1)];
  if (first === undefined || last === undefined) return 'nothing was counted yet';
  return first === last ? `there is ${first}` : `there is ${first} to ${last}`;
};

/** With guests: theirs, and for the host what of each uplink's sum is nobody's. */
function* rowsOf(table: TrafficTable, withGuests: boolean): Iterable<TrafficRow> {
  if (!withGuests) {
    for (const row of table.rows()) if (row.guest === ALL) yield row;
    return;
  }
  const rests = new Map<string, MutableUsage>(); // BOUNDED: by the rows of the table
  for (const row of table.rows()) {
    if (row.guest !== ALL) yield row;
    const rest = rests.get(restKey(row)) ?? zero();
    rests.set(restKey(row), rest);
    addUsage(rest, row, row.guest === ALL ? 1n : -1n);
  }
  for (const row of table.rows()) {
    const rest = row.guest === ALL ? rests.get(restKey(row)) : undefined;
    if (rest !== undefined && FIELDS.some((field) => rest[field] > 0n))
      yield { ...row, guest: HOST, ...floored(rest) };
  }
}

type MutableUsage = { -readonly [K in keyof Usage]: Usage[K] };
type MutableRow = { -readonly [K in keyof ReportRow]: ReportRow[K] };
const FIELDS = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const;

const zero = (): MutableUsage => ({ rxBytes: 0n, txBytes: 0n, rxPackets: 0n, txPackets: 0n });
const restKey = ({ uplink, source, family }: TrafficRow): string => `${uplink} ${source} ${family}`;

function addUsage(sum: MutableUsage, usage: Usage, sign = 1n): void {
  for (const field of FIELDS) sum[field] += sign * usage[field];
}

/** A guest's packet may be dropped after it was counted as the guest's, so that a rest can be a little below zero. */
function floored(rest: Usage): Usage {
  const floor = (value: bigint): bigint => (value < 0n ? 0n : value);
  return {
    rxBytes: floor(rest.rxBytes),
    txBytes: floor(rest.txBytes),
    rxPackets: floor(rest.rxPackets),
    txPackets: floor(rest.txPackets),
  };
}

type RowKey = Omit<ReportRow, keyof Usage>;

const keyOf = (row: TrafficRow, { hour = '', host = '' }: LabelledTable, by: ReportWish['by']): RowKey => ({
  guest: by.guest ? row.guest : '',
  uplink: by.uplink ? row.uplink : '',
  source: by.source ? row.source : 0,
  family: by.family ? row.family : 0,
  hour: by.hour ? hour : '',
  host: by.host ? host : '',
});

function addTo(sums: Map<string, MutableRow>, key: RowKey, usage: Usage): void {
  const text = keyText(key);
  const sum = sums.get(text) ?? { ...key, ...zero() };
  sums.set(text, sum);
  addUsage(sum, usage);
}

const keyText = ({ hour, host, guest, uplink, source, family }: RowKey): string =>
  `${host} ${hour} ${guest} ${uplink} ${source} ${family}`;

const inOrder = (a: RowKey, b: RowKey): number =>
  compare(a.hour, b.hour) ||
  compare(a.host, b.host) ||
  compare(a.guest, b.guest) ||
  compare(a.uplink, b.uplink) ||
  a.source - b.source ||
  a.family - b.family;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
