import { accept, checkedAll, refuse, type Checked } from '@pp/base';
import { ExitCode, wholeNumber, type RawArgs } from '@pp/daemon';
import type { Command } from 'commander';

export const DIMENSIONS = ['host', 'guest', 'uplink', 'source', 'family', 'hour'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export interface TrafficReportWish {
  readonly what: 'report';
  /** "2026-11"; '': all that was ever counted. */
  readonly month: string;
  /** Of all hosts that share a store, not of this one alone. */
  readonly fleet: boolean;
  /** In the order of the columns. */
  readonly by: readonly Dimension[];
  readonly format: 'text' | 'csv' | 'json';
}

export interface TrafficTopWish {
  readonly what: 'top';
  readonly by: readonly Dimension[];
  readonly intervalSec: number;
  /** Looks until the end; null: until a signal. */
  readonly count: number | null;
  readonly format: 'text' | 'json';
}

export type TrafficWish = TrafficReportWish | TrafficTopWish;

const NOTES = `
report (default): sums of a month, or of all that was ever counted; rx is what came in by the uplink. Hours are UTC, and kept for 40 days.
  --fleet: of all hosts that deliver into the store of this host's counters (counters --state), as far as they have delivered.
top: what passes now, with rates, until Ctrl-C.

Examples:
  patchpanelctl traffic
  patchpanelctl traffic report --month 2026-11 --by guest,uplink --csv
  patchpanelctl traffic report --month 2026-11 --by hour,uplink --json
  patchpanelctl traffic report --fleet --month 2026-11 --by host,uplink
  patchpanelctl traffic top --by source,uplink

Exit code ${ExitCode.degraded}: the sums may be too small; why is said on standard error.`;

export const trafficOptions = (command: Command): Command =>
  command
    .description('show who had how much traffic, and by which uplink')
    .usage('[report] [--fleet] [--month YYYY-MM] [--by WORDS] [--csv|--json] | top [--by WORDS] [options]')
    .argument('[words...]')
    .option('--month <YYYY-MM>', 'report: of this month, UTC; default: all that was ever counted')
    .option('--by <WORDS>', `a row for each, of ${DIMENSIONS.join(',')}; default: guest,uplink`)
    .option(
      '--fleet',
      'report: of all hosts that share the store of counters --state; default of --by: host,uplink',
    )
    .option('--csv', 'report: as CSV, bytes and packets as plain numbers')
    .option('--json', 'as JSON; top: an object a line')
    .option('--interval <SECONDS>', 'top: between two looks, 1 to 3600; default: 1')
    .option('--count <N>', 'top: end after so many looks')
    .addHelpText('after', NOTES);

/** `traffic report --month 2026-11` */
export function trafficWish(raw: RawArgs): Checked<TrafficWish> {
  const [what = 'report', stray] = raw.operands;
  if (stray !== undefined)
    return refuse('InvalidArgument', `traffic takes no argument '${stray}'; leave it out`);
  const by = checkedBy(raw.one('by') ?? (raw.has('fleet') ? 'host,uplink' : 'guest,uplink'));
  if (!by.ok) return by;
  switch (what) {
    case 'report':
      return reportWish(raw, by.value);
    case 'top':
      return topWish(raw, by.value);
    default:
      return refuse('InvalidArgument', `traffic '${what}'? write traffic report or traffic top`);
  }
}

function reportWish(raw: RawArgs, by: readonly Dimension[]): Checked<TrafficReportWish> {
  const alien = ['interval', 'count'].find((name) => raw.one(name) !== undefined);
  if (alien !== undefined)
    return refuse('InvalidArgument', `--${alien} is for traffic top only; leave it out`);
  const month = raw.one('month') ?? '';
  if (raw.one('month') !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    return refuse('InvalidArgument', `--month '${month}' is no month; write it as 2026-11`);
  const fleet = raw.has('fleet');
  if (by.includes('host') && !fleet)
    return refuse('InvalidArgument', 'hosts are told of a fleet; add --fleet, or leave host out of --by');
  if (by.includes('hour') && fleet)
    return refuse(
      'InvalidArgument',
      'hours are known by each host alone; leave hour out of --by, or --fleet',
    );
  if (by.includes('hour') && month === '')
    return refuse('InvalidArgument', 'hours are told of one month; name it: --month 2026-11');
  if (raw.has('csv') && raw.has('json')) return refuse('InvalidArgument', '--csv or --json, not both');
  const format = raw.has('csv') ? 'csv' : raw.has('json') ? 'json' : 'text';
  return accept({ what: 'report', month, fleet, by, format });
}

function topWish(raw: RawArgs, by: readonly Dimension[]): Checked<TrafficTopWish> {
  if (raw.one('month') !== undefined || raw.has('csv'))
    return refuse(
      'InvalidArgument',
      '--month and --csv are for traffic report only; top shows what passes now',
    );
  if (by.includes('host') || raw.has('fleet'))
    return refuse('InvalidArgument', 'top shows this host alone; leave --fleet and host out');
  if (by.includes('hour'))
    return refuse('InvalidArgument', 'top shows what passes now; leave hour out of --by');
  const numbers = checkedAll({
    intervalSec: wholeNumber(raw, 'interval', [1, 3600], 1),
    count: wholeNumber(raw, 'count', [1, 1_000_000], null),
  });
  if (!numbers.ok) return numbers;
  return accept({ what: 'top', by, ...numbers.value, format: raw.has('json') ? 'json' : 'text' });
}

/** "guest,uplink": each once, in the order of DIMENSIONS but for hours, which come first. */
function checkedBy(text: string): Checked<readonly Dimension[]> {
  const words = text.split(',');
  const alien = words.find((word) => !DIMENSIONS.some((dimension) => dimension === word));
  if (alien !== undefined)
    return refuse('InvalidArgument', `--by '${alien}' is unknown; write some of ${DIMENSIONS.join(',')}`);
  const wanted = DIMENSIONS.filter((dimension) => words.includes(dimension));
  return accept([...wanted.filter((each) => each === 'hour'), ...wanted.filter((each) => each !== 'hour')]);
}
