import { accept, KernelError, refuse, type Checked } from '@pp/base';
import { decodeStrict, encode, TrafficCounterIpFamily, type Messages } from '@pp/proto';
import { report, type ReportRow } from '../core/report';
import { ALL, type TrafficRow } from '../core/traffic-table';
import type { CounterService } from '../counter-service';
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

export const getTraffic =
  (service: CounterService): Method =>
  async (body) => {
    const request = decodeStrict('TrafficRequest', body);
    if (!request.ok) return request;
    const fresh = await refreshed(service);
    if (!fresh.ok) return fresh;
    const { month, byGuest, byUplink, bySource, byFamily, byHour } = request.value;
    const by = { guest: byGuest, uplink: byUplink, source: bySource, family: byFamily, hour: byHour };
    const rows = report(service.ledger, { month, by });
    if (!rows.ok) return rows;
    const months = service.ledger.months.names();
    const warnings = warningsOf(service);
    return accept(encode('TrafficReport', { rows: rows.value.map(rowToProto), months, warnings }));
  };

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
