import { millis } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import type { Refused } from '@pp/daemon';
import { ExitCode } from '@pp/daemon';
import { DBusError, type CallRequest } from '@pp/dbus';
import { decodeStrict, encode, type Init, type Messages } from '@pp/proto';
import { readCommand } from './args';
import { traffic, type TrafficDoors } from './traffic';
import type { TrafficWish } from './traffic-args';
import { bytesText, reportCsv } from './traffic-text';

type Report = Init<Messages['TrafficReport']>;

const ROW = { rxBytes: 1234567n, txBytes: 2n ** 60n, rxPackets: 3n, txPackets: 4n };
const REPORT: Report = {
  rows: [
    { guest: 'host', uplink: 'eth0', ...ROW },
    { guest: 'termina/5', uplink: 'vpn', ...ROW, rxBytes: 7n },
  ],
  months: ['2026-10', '2026-11'],
};

const wishOf = (line: string): TrafficWish => {
  const asked = readCommand(line.split(' '));
  if (asked.do !== 'traffic') throw new Error(JSON.stringify(asked));
  return asked.wish;
};

/** Counters that answer with these, one after the other, the last one again and again. */
class Scene {
  readonly clock = new VirtualClock();
  readonly printed: string[] = [];
  /** Who reads goes after so many. */
  mostPrinted = Infinity;
  readonly warned: string[] = [];
  readonly requests: Messages['TrafficRequest'][] = [];
  open = 0;
  #interrupt: () => void = () => undefined;
  readonly #answers: (Report | Error)[];

  constructor(...answers: (Report | Error)[]) {
    this.#answers = answers;
  }

  run(line: string): Promise<ExitCode> {
    return traffic(wishOf(line), this.#doors());
  }

  interrupt(): void {
    this.#interrupt();
  }

  #doors(): TrafficDoors {
    return {
      connectBus: () => {
        this.open++;
        return Promise.resolve({ call: (request) => this.#call(request), close: () => this.open-- });
      },
      print: (text) => {
        this.printed.push(text);
        return this.printed.length < this.mostPrinted;
      },
      warn: (sentence) => void this.warned.push(sentence),
      onSignal: (handler) => {
        this.#interrupt = handler;
        return () => undefined;
      },
      clock: this.clock,
      isScreen: false,
    };
  }

  #call({ member, body = [] }: CallRequest): Promise<{ signature: string; body: unknown[]; fds: [] }> {
    const request = decodeStrict('TrafficRequest', body[0] as Uint8Array);
    if (!request.ok || member !== 'GetTraffic') throw new Error(`asked for ${member}`);
    this.requests.push(request.value);
    const [answer = {}] = this.#answers.length > 1 ? this.#answers.splice(0, 1) : this.#answers;
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ signature: 'ay', body: [encode('TrafficReport', answer)], fds: [] });
  }
}

test('report: a table for people', async () => {
  const scene = new Scene(REPORT);
  expect(await scene.run('traffic')).toBe(ExitCode.done);
  expect(scene.printed).toEqual([
    [
      'guest      uplink  rx       tx       rx packets  tx packets',
      'host       eth0    1.23 MB  1.15 EB  3           4',
      'termina/5  vpn     7 B      1.15 EB  3           4',
      '',
    ].join('\n'),
  ]);
  expect(scene.requests).toEqual([
    {
      month: '',
      byGuest: true,
      byUplink: true,
      bySource: false,
      byFamily: false,
      byHour: false,
      fleet: false,
      byHost: false,
    },
  ]);
  expect(scene.open).toBe(0);
});

test('a fleet is told by host', async () => {
  const scene = new Scene({ rows: [{ host: 'kiosk7', uplink: 'eth0', ...ROW }], months: ['2026-11'] });
  expect(await scene.run('traffic report --fleet --csv')).toBe(ExitCode.done);
  expect(scene.printed.join('')).toContain('host,uplink,rx_bytes');
  expect(scene.printed.join('')).toContain('kiosk7,eth0,1234567,');
  expect(scene.requests).toMatchObject([{ fleet: true, byHost: true, byUplink: true, byGuest: false }]);
});

test('report as CSV and as JSON has every byte', async () => {
  const scene = new Scene(REPORT);
  await scene.run('traffic report --month 2026-11 --csv');
  await scene.run('traffic report --month 2026-11 --json');
  const [csv = '', json = ''] = scene.printed;
  expect(csv).toBe(
    'guest,uplink,rx_bytes,tx_bytes,rx_packets,tx_packets\r\nhost,eth0,1234567,1152921504606846976,3,4\r\ntermina/5,vpn,7,1152921504606846976,3,4\r\n',
  );
  expect(json).toContain('"tx_bytes":1152921504606846976,');
  expect(JSON.parse(json)).toMatchObject({
    month: '2026-11',
    by: ['guest', 'uplink'],
    months: ['2026-10', '2026-11'],
    warnings: [],
    rows: [
      { guest: 'host', uplink: 'eth0', rx_bytes: 1234567, rx_packets: 3 },
      { guest: 'termina/5', uplink: 'vpn', rx_bytes: 7 },
    ],
  });
});

test('sources and families go by their names, hours come first', async () => {
  const row = { hour: '2026-11-21T14', source: 4, ipFamily: 2, ...ROW };
  const scene = new Scene({ rows: [row] });
  await scene.run('traffic report --month 2026-11 --by source,family,hour --csv');
  expect(scene.printed[0]?.split('\r\n').slice(0, 2)).toEqual([
    'hour,source,family,rx_bytes,tx_bytes,rx_packets,tx_packets',
    '2026-11-21T14,CROSVM,IPV6,1234567,1152921504606846976,3,4',
  ]);
});

test('warnings go to standard error, and the exit code says degraded', async () => {
  const scene = new Scene({ ...REPORT, warnings: ['a set is full'] });
  expect([await scene.run('traffic'), scene.warned]).toEqual([ExitCode.degraded, ['a set is full']]);
});

test.each([
  {
    name: 'org.freedesktop.DBus.Error.ServiceUnknown',
    want: [6, 'nobody counts traffic on this host: counters is not running'],
  },
  { name: 'org.chromium.PatchPanel.Error.NotFound', want: [3, 'nothing is known of it'] },
  {
    name: 'org.freedesktop.DBus.Error.AccessDenied',
    want: [5, 'the bus policy does not let this user ask for that'],
  },
])('$name', async ({ name, want }) => {
  const scene = new Scene(new DBusError(name, 'nothing is known of it'));
  const refused = (await scene.run('traffic').catch((fault: unknown) => fault)) as Refused;
  expect([refused.exitCode, refused.sentence]).toEqual(want);
  expect(scene.open).toBe(0);
});

test('what fails in counters is told in the log of counters', async () => {
  const scene = new Scene(new DBusError('org.chromium.PatchPanel.Error.Failed', 'the kernel does not tell'));
  await expect(scene.run('traffic')).rejects.toMatchObject({
    exitCode: ExitCode.failed,
    advice: 'look at the log of counters: journalctl -u counters',
  });
});

/** What waits for the clock gets its time. */
async function pass(scene: Scene, ms: number): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  scene.clock.advance(millis(ms));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('top: rates since the look before, the busiest first, until a signal', async () => {
  const at = (host: bigint, vm: bigint): Report => ({
    rows: [
      { guest: 'host', uplink: 'eth0', rxBytes: host },
      { guest: 'termina/5', uplink: 'eth0', txBytes: vm },
    ],
  });
  const scene = new Scene(at(1000n, 0n), at(1500n, 4_000_000n), at(1500n, 4_000_000n));
  const ended = scene.run('traffic top --interval 2');
  await pass(scene, 2000);
  await pass(scene, 2000);
  scene.interrupt();
  expect(await ended).toBe(ExitCode.done);
  expect(scene.printed[0]?.split('\n').map((line) => line.replaceAll(/ {2,}/g, '|'))).toEqual([
    'guest|uplink|rx/s|tx/s|rx|tx',
    'termina/5|eth0|0 B|2.00 MB|0 B|4.00 MB',
    'host|eth0|250 B|0 B|1.50 kB|0 B',
    '',
  ]);
  expect(scene.printed).toHaveLength(2);
});

test('top: ends when nobody reads on', async () => {
  const scene = new Scene({ rows: [] });
  scene.mostPrinted = 2;
  const ended = scene.run('traffic top');
  await pass(scene, 1000);
  await pass(scene, 1000);
  expect(await ended).toBe(ExitCode.done);
  expect(scene.printed).toHaveLength(2);
});

test('top: each look leaves no listener behind', async () => {
  const added = jest.spyOn(AbortSignal.prototype, 'addEventListener');
  const removed = jest.spyOn(AbortSignal.prototype, 'removeEventListener');
  const scene = new Scene({ rows: [] });
  const ended = scene.run('traffic top --count 3');
  for (let look = 0; look < 3; look++) await pass(scene, 1000);
  await ended;
  expect(added).toHaveBeenCalledTimes(3);
  expect(removed).toHaveBeenCalledTimes(3);
  jest.restoreAllMocks();
});

test('top: a number of looks, as JSON lines', async () => {
  const scene = new Scene({ rows: [] }, { rows: [{ uplink: 'eth0', rxBytes: 10n }] });
  const ended = scene.run('traffic top --by uplink --count 1 --json');
  await pass(scene, 1000);
  expect(await ended).toBe(ExitCode.done);
  expect(scene.printed).toEqual([
    '{"by":["uplink"],"rows":[{"uplink":"eth0","rx_bytes":10,"tx_bytes":0,"rx_packets":0,"tx_packets":0,"rx_rate":10,"tx_rate":0}]}\n',
  ]);
});

test.each([
  { in: 0n, want: '0 B' },
  { in: 999n, want: '999 B' },
  { in: 1000n, want: '1.00 kB' },
  { in: 12_345n, want: '12.3 kB' },
  { in: 999_499n, want: '999 kB' },
  { in: 999_500n, want: '1.00 MB' },
  { in: 2n ** 64n - 1n, want: '18.4 EB' },
])('$want', ({ in: bytes, want }) => {
  expect(bytesText(bytes)).toBe(want);
});

test('a cell with a comma or a quote is quoted', () => {
  const row = { ...ROW, host: '', guest: 'a,"b', uplink: '', source: 0, ipFamily: 0, hour: '' };
  expect(reportCsv(['guest'], [row])).toContain('"a,""b",1234567,');
});

test.each([
  { in: 'traffic total', want: "traffic 'total'? write traffic report or traffic top" },
  { in: 'traffic report x', want: "traffic takes no argument 'x'; leave it out" },
  { in: 'traffic --month 2026-13', want: "--month '2026-13' is no month; write it as 2026-11" },
  { in: 'traffic --month november', want: "--month 'november' is no month; write it as 2026-11" },
  {
    in: 'traffic --by guest,week',
    want: "--by 'week' is unknown; write some of host,guest,uplink,source,family,hour",
  },
  { in: 'traffic --by hour', want: 'hours are told of one month; name it: --month 2026-11' },
  {
    in: 'traffic --by host',
    want: 'hosts are told of a fleet; add --fleet, or leave host out of --by',
  },
  {
    in: 'traffic --fleet --month 2026-11 --by hour',
    want: 'hours are known by each host alone; leave hour out of --by, or --fleet',
  },
  { in: 'traffic top --fleet', want: 'top shows this host alone; leave --fleet and host out' },
  { in: 'traffic --csv --json', want: '--csv or --json, not both' },
  { in: 'traffic --count 3', want: '--count is for traffic top only; leave it out' },
  {
    in: 'traffic top --interval 0',
    want: "--interval '0' is out of range; write a whole number from 1 to 3600",
  },
  { in: 'traffic top --by hour', want: 'top shows what passes now; leave hour out of --by' },
  {
    in: 'traffic top --csv',
    want: '--month and --csv are for traffic report only; top shows what passes now',
  },
])('$in is refused', ({ in: line, want }) => {
  expect(readCommand(line.split(' '))).toEqual({ do: 'refuse', exitCode: 2, sentence: want });
});
