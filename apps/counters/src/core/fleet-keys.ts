import type { Reading, Total } from '@pp/state';
import type { Ledger } from './ledger';
import type { LabelledTable } from './report';
import { ALL, TrafficTable, type Family, type TrafficRow, type Usage } from './traffic-table';

/** Months whose sums may have grown since the last delivery: a sample belongs to the hour in which it began. */
const OPEN_MONTHS = 2;
const FIELDS = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const satisfies readonly (keyof Usage)[];

/** Stands for ALL: a key has no empty word. */
const WHOLE = '*';

/** The sums of this host that may have grown, under the names that the store has for them: "termina/5 eth0 3 v4 rxBytes". */
export function* readingsOf({ months }: Pick<Ledger, 'months'>): Iterable<Reading> {
  for (const month of months.latest(OPEN_MONTHS)) {
    for (const row of months.find(month)?.rows() ?? []) {
      const { guest, uplink, source, family } = row;
      const words = `${guest === ALL ? WHOLE : guest} ${uplink} ${source} v${family}`;
      for (const field of FIELDS)
        if (row[field] > 0n) yield { month, key: `${words} ${field}`, value: row[field] };
    }
  }
}

/** The sums of each host of the fleet. What is not named as `readingsOf` names it is passed over. */
export function tablesOfFleet(totals: Iterable<Total>): readonly LabelledTable[] {
  const hosts = new Map<string, TrafficTable>(); // BOUNDED: by the store
  for (const { host, key, amount } of totals) {
    const [, guest = '', uplink = '', source = '', family = '', field] =
      /^(\S+) (\S+) (\d{1,4}) v([46]) (rxBytes|txBytes|rxPackets|txPackets)$/.exec(key) ?? [];
    if (field === undefined) continue;
    const table = hosts.get(host) ?? new TrafficTable([], Infinity);
    hosts.set(host, table);
    const row: Omit<TrafficRow, keyof Usage> = {
      guest: guest === WHOLE ? ALL : guest,
      uplink,
      source: Number(source),
      family: Number(family) as Family,
    };
    const isBytes = field.endsWith('Bytes');
    table.add(row, field.startsWith('rx') ? 'rx' : 'tx', isBytes ? amount : 0n, isBytes ? 0n : amount);
  }
  return [...hosts].map(([host, table]) => ({ host, table }));
}
