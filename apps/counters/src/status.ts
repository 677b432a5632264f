import type { CounterService } from './counter-service';
import type { Fleet } from './fleet';

/** Why what is told may be too little, a sentence each; none: all is well. */
export function warningsOf(service: CounterService): readonly string[] {
  const { settings, ledger, recentLoss } = service;
  const { use, fault, history } = service.kept;
  const { uplinks, guests } = use.missed;
  return [
    ...(fault === null ? [] : [`the kernel does not count now: ${fault}`]),
    ...(uplinks > 0n ? [full('of uplinks', uplinks, settings.setSize)] : []),
    ...(guests > 0n ? [full('of guests', guests, settings.setSize)] : []),
    ...(recentLoss === null
      ? []
      : [
          `the counters' table was deleted or damaged by another program ${times(ledger.losses.count)}, last at ${instant(recentLoss.at)}: what passed in the ${seconds(recentLoss.unseenMs)} s before may be missing; this is said until the month ends`,
        ]),
    ...(history.fault === null
      ? []
      : [`the history cannot be written: ${history.fault}; it will be when it can`]),
  ];
}

/** What `counters status` adds to what every service says. */
export function statusOf(service: CounterService, manager: string, fleet: Fleet | null = null): object {
  const { settings, ledger } = service;
  const { use, accounts, run, lookedAt, history } = service.kept;
  const warnings = [...warningsOf(service), ...(fleet?.warnings ?? [])];
  return {
    state: warnings.length === 0 ? 'ok' : 'degraded',
    manager,
    counted: accounts.ifnames,
    table: run,
    lastSample: lookedAt === null ? null : instant(lookedAt),
    periodSec: settings.period / 1000,
    setSize: settings.setSize,
    uplinkElements: use.largestUplinkSet,
    guestElements: use.largestGuestSet,
    missedPackets: String(use.missed.uplinks + use.missed.guests),
    losses: ledger.losses.count,
    historyBytes: history.size,
    months: ledger.months.names(),
    hours: ledger.hours.names().length,
    ...fleet?.status,
    warnings,
  };
}

const full = (what: string, packets: bigint, size: number): string =>
  `a set ${what} is full with ${size} elements: ${packets} packets were not counted; start counters with a larger --set-size`;

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
const instant = (at: number): string => new Date(at).toISOString();
const seconds = (ms: number): string => (ms / 1000).toFixed(1);
