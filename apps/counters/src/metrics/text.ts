import { TrafficCounterIpFamily, TrafficCounterSource } from '@pp/proto';
import { ALL, type TrafficRow } from '../core/traffic-table';
import type { CounterService } from '../counter-service';
import { warningsOf } from '../status';

/** The exposition format of Prometheus, version 0.0.4. */
export function metricsText(service: CounterService): string {
  const rows = [...service.ledger.totals.rows()];
  const [uplinks, guests] = [
    rows.filter(({ guest }) => guest === ALL),
    rows.filter(({ guest }) => guest !== ALL),
  ];
  const { ledger } = service;
  const { missed } = service.kept.use;
  return [
    ...family('traffic_bytes_total', 'IP bytes by uplink, source and family', amounts(uplinks, 'Bytes')),
    ...family('traffic_packets_total', 'Packets by uplink, source and family', amounts(uplinks, 'Packets')),
    ...family('guest_traffic_bytes_total', 'IP bytes by guest and uplink', amounts(guests, 'Bytes')),
    ...family('guest_traffic_packets_total', 'Packets by guest and uplink', amounts(guests, 'Packets')),
    ...family('counters_missed_packets_total', 'Packets that found a set full', [
      sample({ set: 'uplinks' }, missed.uplinks),
      sample({ set: 'guests' }, missed.guests),
    ]),
    ...family(
      'counters_table_losses_total',
      "Times that the kernel's table was deleted or damaged by others",
      [sample({}, BigInt(ledger.losses.count))],
    ),
    ...family('counters_degraded', '1 where sums may be too small', [
      sample({}, warningsOf(service).length > 0 ? 1n : 0n),
    ]),
  ].join('');
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: bigint];
const sample = (labels: Labels, value: bigint): Sample => [labels, value];

function family(name: string, help: string, samples: readonly Sample[]): readonly string[] {
  const full = `patchpanel_${name}`;
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  return [
    `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n`,
    ...samples.map(([labels, value]) => `${full}${labelsText(labels)} ${value}\n`),
  ];
}

function amounts(rows: readonly TrafficRow[], what: 'Bytes' | 'Packets'): readonly Sample[] {
  return rows.flatMap((row) =>
    (['rx', 'tx'] as const)
      .filter((direction) => row[`${direction}${what}`] > 0n)
      .map((direction) => sample(labelsOf(row, direction), row[`${direction}${what}`])),
  );
}

const labelsOf = ({ guest, uplink, source, family: ip }: TrafficRow, direction: string): Labels => ({
  ...(guest === ALL ? {} : { guest }),
  device: uplink,
  source: nameIn(TrafficCounterSource, source),
  family: nameIn(
    TrafficCounterIpFamily,
    ip === 4 ? TrafficCounterIpFamily.IPV4 : TrafficCounterIpFamily.IPV6,
  ),
  direction,
});

const nameIn = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? String(value);

function labelsText(labels: Labels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return '';
  return `{${entries.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
