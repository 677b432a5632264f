import { accept, KernelError, refuse, type Checked } from '@pp/base';
import { decodeStrict, encode, TrafficCounterIpFamily, type Messages } from '@pp/proto';
import { report, type ReportRow, type ReportWish } from '../core/report';
import type { CounterService } from '../counter-service';
import type { Fleet, FleetReport } from '../fleet';
import { warningsOf } from '../status';
import { CountersAnswer } from './counters-answer';

/** From a serialized request to a serialized reply. */
export type Method = (body: Uint8Array) => Promise<Checked<Uint8Array>>;

export function getTrafficCounters(service: CounterService): Method {
  const answer = new CountersAnswer();
  return async (body) => {
    const request = decodeStrict('TrafficCountersRequest', body);
    if (!request.ok) return request;
    const fresh = await refreshed(service, 'uplinks');
    return fresh.ok ? accept(answer.of(service.ledger.totals, new Set(request.value.devices))) : fresh;
  };
}

/** `fleet` null: this host is in none. */
export const getTraffic =
  (service: CounterService, fleet: Fleet | null): Method =>
  async (body) => {
    const request = decodeStrict('TrafficRequest', body);
    if (!request.ok) return request;
    const fresh = await refreshed(service, 'all');
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
  Promise.resolve(
    refuse('InvalidArgument', 'this host is in no fleet; start counters with --state redis://HOST'),
  );

const also = (
  rows: Checked<readonly ReportRow[]>,
  { months }: Pick<FleetReport, 'months'>,
): Checked<FleetReport> => (rows.ok ? accept({ rows: rows.value, months }) : rows);

/** What was told once is never told smaller, so an answer is counted before it is given. */
async function refreshed(service: CounterService, what: 'all' | 'uplinks'): Promise<Checked<null>> {
  try {
    await service.refresh(what);
    return accept(null);
  } catch (fault) {
    if (!(fault instanceof KernelError)) throw fault;
    return refuse('Failed', `the kernel does not tell its counters: ${fault.message}`);
  }
}

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
