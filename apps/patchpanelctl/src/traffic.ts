/** `patchpanelctl traffic`: asks the service that counts. */
import { seconds, type Clock } from '@pp/base';
import { ExitCode, Refused } from '@pp/daemon';
import { DBusError, type Bus } from '@pp/dbus';
import { decodeStrict, encode, type Messages } from '@pp/proto';
import { withBus } from './call-manager';
import { meaningOf } from './failure';
import type { Dimension, TrafficReportWish, TrafficTopWish, TrafficWish } from './traffic-args';
import { reportCsv, reportJson, reportText, type TrafficRow } from './traffic-text';
import { rated, topJson, topText } from './traffic-top';

export interface TrafficDoors {
  readonly connectBus: () => Promise<Pick<Bus, 'call' | 'close'>>;
  /** False: nobody reads on. */
  readonly print: (text: string) => boolean;
  /** One line to standard error. */
  readonly warn: (sentence: string) => void;
  readonly onSignal: (handler: () => void) => () => void;
  readonly clock: Clock;
  /** Standard output is a terminal: top draws over what it drew before. */
  readonly isScreen: boolean;
}

type Caller = Pick<Bus, 'call'>;

/** Returns the exit code. */
export const traffic = (wish: TrafficWish, doors: TrafficDoors): Promise<ExitCode> =>
  withBus(doors.connectBus, (bus) =>
    wish.what === 'report' ? showReport(bus, wish, doors) : showTop(bus, wish, doors),
  );

async function showReport(bus: Caller, wish: TrafficReportWish, doors: TrafficDoors): Promise<ExitCode> {
  const report = await ask(bus, wish.month, wish.by, wish.fleet);
  doors.print(rendered(wish, report));
  for (const warning of report.warnings) doors.warn(warning);
  return report.warnings.length > 0 ? ExitCode.degraded : ExitCode.done;
}

function rendered({ month, by, format }: TrafficReportWish, report: Messages['TrafficReport']): string {
  switch (format) {
    case 'text':
      return reportText(by, report.rows);
    case 'csv':
      return reportCsv(by, report.rows);
    case 'json':
      return reportJson(month, by, report);
  }
}

/** ECMA-48: to the first place of the screen, and clear what follows. */
const REDRAW = '\u001b[H\u001b[J';

async function showTop(bus: Caller, wish: TrafficTopWish, doors: TrafficDoors): Promise<ExitCode> {
  const { clock, print, isScreen } = doors;
  const { by, format, intervalSec } = wish;
  const ended = new AbortController();
  const stopListening = doors.onSignal(() => {
    ended.abort();
  });
  try {
    let rows = (await ask(bus, '', by)).rows;
    let at = clock.now();
    for (let left = wish.count ?? Infinity; left > 0; left--) {
      await pause(clock, intervalSec, ended.signal);
      if (ended.signal.aborted) break;
      const next: readonly TrafficRow[] = (await ask(bus, '', by)).rows;
      const now = clock.now();
      const frame = rated(by, rows, next, Math.max(now - at, 1) / 1000);
      const text = format === 'json' ? topJson(by, frame) : `${isScreen ? REDRAW : ''}${topText(by, frame)}`;
      if (!print(text)) break;
      [rows, at] = [next, now];
    }
    return ExitCode.done;
  } finally {
    stopListening();
  }
}

function pause(clock: Clock, sec: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after('traffic.top', seconds(sec), end);
    signal.addEventListener('abort', end);
  });
}

const COUNTERS = {
  destination: 'org.chromium.PatchPanel.Counters',
  path: '/org/chromium/PatchPanel/Counters',
  interface: 'org.chromium.PatchPanel.Counters1',
  member: 'GetTraffic',
  signature: 'ay',
} as const;

async function ask(
  bus: Caller,
  month: string,
  by: readonly Dimension[],
  fleet = false,
): Promise<Messages['TrafficReport']> {
  const request = encode('TrafficRequest', {
    month,
    byGuest: by.includes('guest'),
    byUplink: by.includes('uplink'),
    bySource: by.includes('source'),
    byFamily: by.includes('family'),
    byHour: by.includes('hour'),
    byHost: by.includes('host'),
    fleet,
  });
  const reply = await bus.call({ ...COUNTERS, body: [request] }).catch((fault: unknown) => {
    throw faultOfCounters(fault);
  });
  const report = reply.signature === 'ay' ? decodeStrict('TrafficReport', reply.body[0] as Uint8Array) : null;
  if (report?.ok === true) return report.value;
  throw new Refused(ExitCode.failed, report?.sentence ?? `counters answered with '${reply.signature}'`, {
    advice: LOOK_AT_LOG,
  });
}

const LOOK_AT_LOG = 'look at the log of counters: journalctl -u counters';
const NOBODY = /\.(ServiceUnknown|NameHasNoOwner)$/;

function faultOfCounters(fault: unknown): unknown {
  if (!(fault instanceof DBusError)) return fault;
  if (NOBODY.test(fault.name))
    return new Refused(ExitCode.unreachable, 'nobody counts traffic on this host: counters is not running', {
      advice: 'start it: counters, or patchpanel-manager --helpers spawn',
      cause: fault,
    });
  if (fault.name.endsWith('.NotFound'))
    return new Refused(ExitCode.notFound, fault.message, {
      advice: 'leave --month out for all that was ever counted',
      cause: fault,
    });
  if (fault.name.endsWith('.Failed'))
    return new Refused(ExitCode.failed, fault.message, { advice: LOOK_AT_LOG, cause: fault });
  return meaningOf(fault);
}
