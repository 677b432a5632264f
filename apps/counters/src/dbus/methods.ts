import { accept, KernelError, refuse, type Checked } from '@pp/base';
import { decodeStrict, encode, TrafficCounterIpFamily, type Messages } from '@pp/proto';
import { report, type ReportRow, type ReportWish } from '../core/report';
import { ALL, type TrafficRow } from '../core/traffic-table';
import type { CounterService } from '../counter-service';
import type { Fleet, FleetReport } from '../fleet';
import { warningsOf } from '../status';

/** From a serialized request to a serialized reply. */
export type Method = (body: Uint8Array) => Promise<Checked<Uint8Array>>;

export const getTrafficCounters =
  (service: CounterService): Method =>
  async (body) => {
    const request = decodeStrict('TrafficCountersRequest', body);
    if (!request.ok) return request;
    const fresh = await refreshed(service);
    if (!fresh.ok) return fresh;
    const counters = countersOf(service, new Set(request.value.devices));
    return accept(encode('TrafficCountersResponse', { counters }));
  };

/** `fleet` null: this host is in none. */
export const getTraffic =
  (service: CounterService, fleet: Fleet | null): Method =>
  async (body) => {
    const request = decodeStrict('TrafficRequest', body);
    if (!request.ok) return request;
    const fresh = await refreshed(service);
    if (!fresh.ok) return fresh;
    const wish = wishOf(request.value);
    const local = { months: service.ledger.months.names() };
    const found = request.value.fleet
      ? await fleetReport(service, fleet, wish)
      : also(report(service.ledger, wish), local);
    if (!found.ok) return found;
    const { rows, months } = found.value;
    const warnings = [...warningsOf(service), ...(request.value.fleet ? (fleet?.warnings ?? []) : [])];
    return accept(encode('TrafficReport', { rows: rows.map(rowToProto), months, warnings }));
  };

function wishOf({ month, ...wants }: Messages['TrafficRequest']): ReportWish {
  const { byGuest, byUplink, bySource, byFamily, byHour, byHost } = wants;
  const by = {
    guest: byGuest,
    uplink: byUplink,
    source: bySource,
    family: byFamily,
    hour: byHour,
    host: byHost,
  };
  return { month, by };
}

const fleetReport = (
  { ledger }: CounterService,
  fleet: Fleet | null,
  wish: ReportWish,
): Promise<Checked<FleetReport>> =>
  fleet?.report(ledger, wish) ??
  Promise.resolve(refuse('Failed', 'this host is in no fleet; start counters with --state redis://HOST'));

const also = (
  rows: Checked<readonly ReportRow[]>,
  { months }: Pick<FleetReport, 'months'>,
): Checked<FleetReport> => (rows.ok ? accept({ rows: rows.value, months }) : rows);

/** What was told once is never told smaller, so an answer is counted before it is given. */
async function refreshed(service: CounterService): Promise<Checked<null>> {
  try {
    await service.refresh();
    return accept(null);
  } catch (fault) {
    if (!(fault instanceof KernelError)) throw fault;
    return refuse('Failed', `the kernel does not tell its counters: ${fault.message}`);
  }
}

/** Sorted by device, source, family (spec/patchpanel.md 9). `devices` empty: all. */
export function countersOf(
  { ledger }: Pick<CounterService, 'ledger'>,
  devices: ReadonlySet<string>,
): readonly Messages['TrafficCounter'][] {
  return [...ledger.totals.rows()]
    .filter(({ guest, uplink }) => guest === ALL && (devices.size === 0 || devices.has(uplink)))
    .sort(
      (a, b) =>
        (a.uplink < b.uplink ? -1 : a.uplink > b.uplink ? 1 : 0) ||
        a.source - b.source ||
        a.family - b.family,
    )
    .map(counterToProto);
}

const counterToProto = ({ uplink, source, family, ...row }: TrafficRow): Messages['TrafficCounter'] => ({
  rxBytes: row.rxBytes,
  txBytes: row.txBytes,
  rxPackets: row.rxPackets,
  txPackets: row.txPackets,
  source,
  device: uplink,
  ipFamily: familyToProto(family),
});

const rowToProto = ({ family, ...row }: ReportRow): Messages['TrafficRow'] => ({
  ...row,
  ipFamily: familyToProto(family),
});

const familyToProto = (family: number): number =>
  family === 4
    ? TrafficCounterIpFamily.IPV4
    : family === 6
      ? TrafficCounterIpFamily.IPV6
      : TrafficCounterIpFamily.NONE;
