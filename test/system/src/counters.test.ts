import { spawnSync } from 'node:child_process';
import { seconds } from '@pp/base';
import {
  eventOf,
  labMissing,
  labTest,
  passesFrames,
  pings,
  program,
  STANDARD,
  STATE_INSIDE,
  startTermina,
  systemPath,
  until,
  type Place,
} from '@pp/lab';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CountersRig, kinds, MONTH_TIMEOUT_MS, monthLasts, thisMonth, totals } from './counters-rig';

const { internet, router } = STANDARD;

let rig: CountersRig | undefined;
beforeEach(monthLasts, MONTH_TIMEOUT_MS);
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** Echo requests that are all answered, each 84 bytes on the wire there and back. */
async function ping(place: Place, address: string, count: number): Promise<void> {
  await place.ok('ping', ['-n', '-q', '-c', String(count), '-i', '0.01', '-W', '2', address]);
}

async function ctl({ host }: CountersRig, ...args: readonly string[]): Promise<string> {
  return host.ok(program('patchpanelctl'), ['traffic', ...args]);
}

labTest(
  'GetTrafficCounters: sources, both families, the device filter, unknown names, and a clear error without counters',
  async () => {
    rig = await CountersRig.open();
    const { lab, client, host } = rig;
    await expect(rig.read()).rejects.toThrow(
      'nobody counts traffic: the service counters is not running; start it',
    );
    await rig.startCounters();
    expect((await rig.read()).filter(({ ipFamily }) => ipFamily === 1)).toEqual([]); // zero rows are absent
    const vm = await startTermina({ lab, client }, 5);
    const namespace = await lab.guest('namespace');
    const { reply } = await client.connect({ pid: namespace.pid, trafficSource: 6 });
    await passesFrames(namespace, reply.peerIfname);
    await ping(vm.guest, internet.v4, 3);
    await ping(namespace, internet.v4, 2);
    await ping(host, internet.v6, 1);
    const counters = await rig.read(['nonsense', 'eth0']);
    const words = counters
      .filter(({ source }) => source === 4 || source === 6)
      .map(
        (each) =>
          `${kinds([each]).join('')} ${each.rxBytes}/${each.rxPackets} ${each.txBytes}/${each.txPackets}`,
      );
    expect(words).toEqual(['eth0 CROSVM v4 252/3 252/3', 'eth0 UPDATE_ENGINE v4 168/2 168/2']);
    expect(counters.some(({ ipFamily, txPackets }) => ipFamily === 2 && txPackets > 0n)).toBe(true);
    expect(counters).toEqual([...counters].sort((a, b) => a.source - b.source || a.ipFamily - b.ipFamily));
    expect(await rig.read(['nonsense'])).toEqual([]);
    await expect(client.raw('GetTrafficCounters', Uint8Array.of(0x08, 1))).rejects.toThrow(
      'TrafficCountersRequest',
    );
    await rig.killCounters();
    await expect(rig.read()).rejects.toThrow('counters is not running');
  },
);

labTest('every VPN is the device vpn, and a device that is gone is still told', async () => {
  const uplinks = ['eth0=ethernet', 'eth1=vpn'];
  rig = await CountersRig.open(uplinks);
  const { host } = rig;
  await rig.startCounters();
  await until('it counts both', async () => String((await rig?.status())?.['counted']).includes('eth1'));
  await ping(host, '192.168.88.1', 2);
  await ping(host, router.v4, 1);
  const devices = async (): Promise<readonly string[]> => [
    ...new Set((await rig?.read())?.map(({ device }) => device)),
  ];
  expect(await devices()).toEqual(['eth0', 'vpn']);
  expect(totals(await rig.read(), 'vpn')[4]).toMatchObject({ tx: 168n, txPackets: 2n });
  await host.ok('ip', ['link', 'del', 'eth1']);
  await until('the manager has seen it', () => rig?.manager.process.output().includes('"uplink.removed"'));
  expect(await devices()).toEqual(['eth0', 'vpn']);
  expect(totals(await rig.read(), 'vpn')[4]).toMatchObject({ tx: 168n, txPackets: 2n });
});

labTest(
  'a foreign flush ruleset: the table is back at once, sums never go back, the status and the tool say what may be missing',
  async () => {
    rig = await CountersRig.open();
    const { host } = rig;
    await rig.startCounters();
    await ping(host, internet.v4, 5);
    const before = totals(await rig.read())[4].tx;
    expect(await rig.status()).toMatchObject({ state: 'ok', losses: 0, warnings: [] });
    await host.ok('nft', ['flush', 'ruleset']);
    await until('the table is back', async () => (await rig?.status())?.['losses'] === 1);
    expect(totals(await rig.read())[4].tx).toBeGreaterThanOrEqual(before);
    await ping(host, internet.v4, 4);
    expect(totals(await rig.read())[4].tx).toBeGreaterThanOrEqual(before + 4n * 84n);
    expect(await rig.status()).toMatchObject({ state: 'degraded', losses: 1 });
    const { code, stderr } = await host.run(program('patchpanelctl'), ['traffic']);
    expect([code, stderr]).toEqual([
      7,
      expect.stringContaining('deleted or damaged by another program once'),
    ]);
    for (const damage of [
      'flush chain inet patchpanel_counters tx',
      'flush set inet patchpanel_counters counted',
    ]) {
      const { losses } = await rig.status();
      await host.ok('nft', [damage]);
      await until(`mended: ${damage}`, async () => (await rig?.status())?.['losses'] === Number(losses) + 1);
      const now = totals(await rig.read())[4].tx;
      await ping(host, internet.v4, 1);
      expect(totals(await rig.read())[4].tx).toBeGreaterThanOrEqual(now + 84n);
    }
  },
);

const SECOND = ['eth0', '--state-dir', '/run/second', '--log-format', 'json'];
const NO_BUS = { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/run/no-bus' };

labTest('two with one table, and no common history or bus: the second is refused', async () => {
  rig = await CountersRig.open();
  const { pid } = await rig.startCounters();
  const { code, stderr } = await rig.host.run(program('counters'), SECOND, { env: NO_BUS });
  expect([code, stderr.trimEnd().split('\n').at(-1)]).toEqual([
    1,
    `counters: another counters, pid ${pid}, counts in this network namespace; stop it first`,
  ]);
  expect(await rig.status()).toMatchObject({ state: 'ok', losses: 0 });
});

labTest(
  'two with one history and no common bus: the second is refused, until the first is killed',
  async () => {
    rig = await CountersRig.open();
    await rig.startCounters();
    const args = [...SECOND, '--history-dir', STATE_INSIDE];
    const { code, stderr } = await rig.host.run(program('counters'), args, { env: NO_BUS });
    expect([code, stderr.trimEnd().split('\n').at(-1)]).toEqual([
      1,
      `counters: another counters writes the history in ${STATE_INSIDE}; stop it, or use another --history-dir`,
    ]);
    await rig.killCounters();
    const second = rig.host.spawn(program('counters'), args, { env: NO_BUS });
    await second.line('log line "ready"', (line) => (eventOf(line) === 'ready' ? true : undefined));
    await second.stop();
  },
);

labTest('a full set is seen and told', async () => {
  rig = await CountersRig.open();
  await rig.startCounters(['--set-size', '2']);
  for (const mark of [0x100, 0x200, 0x300])
    await rig.host.ok('ping', ['-n', '-q', '-c', '1', '-m', String(mark), router.v4]);
  const { code, stderr } = await rig.host.run(program('patchpanelctl'), ['traffic']);
  expect([code, stderr]).toEqual([7, expect.stringContaining('a set of uplinks is full with 2 elements')]);
  const { state, warnings } = await rig.status();
  expect([state, String(warnings)]).toEqual([
    'degraded',
    expect.stringContaining('a set of uplinks is full with 2 elements'),
  ]);
});

labTest(
  'a restart begins where the last one ended, also after a torn and a damaged history; SIGTERM leaves no table',
  async () => {
    rig = await CountersRig.open();
    const { host } = rig;
    const history = join(host.shared, 'state', 'traffic');
    await rig.startCounters();
    await ping(host, internet.v4, 5);
    const before = totals(await rig.read())[4];
    expect((await rig.counters?.stop())?.code).toBe(0);
    expect(await host.ok('nft', ['list', 'tables'])).not.toContain('patchpanel_counters');
    await rig.startCounters();
    const after = totals(await rig.read())[4];
    expect(after.tx).toBeGreaterThanOrEqual(before.tx);
    await rig.counters?.stop();

    const bytes = readFileSync(history);
    truncateSync(history, bytes.length - 3); // its last record is torn
    const torn = await rig.startCounters();
    expect(torn.stderr).toContain('history.torn');
    await ping(host, internet.v4, 1);
    expect(totals(await rig.read())[4].tx).toBeGreaterThanOrEqual(84n);
    await rig.counters?.stop();

    const whole = readFileSync(history, 'latin1');
    writeFileSync(history, whole.replace('"do":"sample"', '"do":"sampel"'), 'latin1');
    const damaged = await rig.startCounters();
    expect(damaged.stderr).toContain('history.damaged');
    await ping(host, internet.v4, 1);
    expect(totals(await rig.read())[4].txPackets).toBeGreaterThan(0n);
  },
);

labTest(
  'a full disk: counting goes on, the status says it, and all is written when there is room',
  async () => {
    rig = await CountersRig.open();
    const { host } = rig;
    await host.shell('mkdir /run/small; mount -t tmpfs -o size=64k tmpfs /run/small');
    const args = ['--history-dir', '/run/small', '--period', '1'];
    await rig.startCounters(args);
    await ping(host, internet.v4, 2);
    await rig.read();
    await host.run('sh', ['-c', 'head -c 1000000 /dev/zero > /run/small/ballast']);
    // What is left of its last page takes some records.
    const records = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        await ping(host, internet.v4, 1);
        await rig?.read();
      }
    };
    const isFull = async (): Promise<boolean> => {
      await records(8);
      return String((await rig?.status())?.['warnings']).includes('the history cannot be written');
    };
    await until('the history takes nothing', isFull, { deadline: seconds(40) });
    const full = totals(await rig.read())[4];
    await host.ok('rm', ['/run/small/ballast']);
    await until('it is written', async () => {
      await ping(host, internet.v4, 1);
      await rig?.read();
      return (await rig?.status())?.['state'] === 'ok';
    });
    await rig.killCounters();
    await rig.startCounters(args);
    expect(totals(await rig.read())[4].tx).toBeGreaterThanOrEqual(full.tx);
  },
);

labTest('patchpanelctl traffic: by guest and uplink, by hour, CSV and JSON, and live', async () => {
  rig = await CountersRig.open();
  const { lab, client, host } = rig;
  const without = await host.run(program('patchpanelctl'), ['traffic']);
  expect([without.code, without.stderr]).toEqual([6, expect.stringContaining('counters is not running')]);
  await rig.startCounters();
  const vm = await startTermina({ lab, client }, 5);
  await ping(vm.guest, internet.v4, 3);
  await ping(host, internet.v4, 2);
  const csv = await ctl(rig, 'report', '--month', thisMonth(), '--by', 'guest,uplink,source,family', '--csv');
  expect(csv.split('\r\n')).toEqual(
    expect.arrayContaining([
      'guest,uplink,source,family,rx_bytes,tx_bytes,rx_packets,tx_packets',
      'termina/5,eth0,CROSVM,IPV4,252,252,3,3',
      expect.stringMatching(/^host,eth0,\w+,IPV4,168,168,2,2$/),
    ]),
  );
  const json = JSON.parse(await ctl(rig, '--month', thisMonth(), '--by', 'hour,guest', '--json')) as {
    readonly rows: readonly { readonly hour: string; readonly guest: string; readonly rx_bytes: number }[];
  };
  const ofVm = json.rows.filter(({ guest }) => guest === 'termina/5');
  expect(ofVm.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0)).toBe(252);
  expect(ofVm[0]?.hour).toMatch(/^\d{4}-\d\d-\d\dT\d\d$/);
  const nothing = await host.run(program('patchpanelctl'), ['traffic', '--month', '1999-01']);
  expect([nothing.code, nothing.stderr]).toEqual([
    3,
    expect.stringContaining(`nothing is known of 1999-01; there is ${thisMonth()}`),
  ]);

  const top = host.spawn(program('patchpanelctl'), ['traffic', 'top', '--json', '--interval', '1']);
  await until('a rate is seen', async () => {
    await pings(vm.guest, internet.v4);
    return /"guest":"termina\/5".*?"rx_rate":[1-9]/.test(top.stdout);
  }, { deadline: seconds(20) }); // prettier-ignore
  top.kill('SIGINT');
  expect((await top.exited).code).toBe(0);
  await vm.stop();
  expect(await ctl(rig, '--by', 'guest', '--csv')).toMatch(/^termina\/5,\d{3,},/m); // also when it is gone
});

const noSocat =
  spawnSync('sh', ['-c', 'command -v socat'], { env: { ...process.env, PATH: systemPath() } }).status !== 0;

labTest(
  'metrics on a UNIX socket and on loopback; a port in use is refused with one line',
  async () => {
    rig = await CountersRig.open();
    const { host } = rig;
    await rig.startCounters(['--metrics', '127.0.0.1:9477']);
    await ping(host, router.v4, 2);
    const get = (path: string, where: string): Promise<string> =>
      host.shell(`printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | socat -,ignoreeof ${where}`);
    const lines =
      /^patchpanel_traffic_bytes_total\{device="eth0",source="\w+",family="IPV4",direction="tx"\} (\d+)$/gm;
    const sent = async (where: string): Promise<number> =>
      [...(await get('/metrics', where)).matchAll(lines)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
    for (const where of ['TCP4:127.0.0.1:9477', `UNIX-CONNECT:${STATE_INSIDE}/counters.metrics`])
      expect(await sent(where)).toBeGreaterThanOrEqual(168);
    expect(await get('/other', 'TCP4:127.0.0.1:9477')).toMatch(/^HTTP\/1.1 404 /);
    const again = ['--state-dir', '/run/other', 'eth0', '--metrics', '127.0.0.1:9477'];
    const second = await host.run(program('counters'), again);
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringContaining('org.chromium.PatchPanel.Counters is owned already'),
    ]);
    const env = { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent' };
    const alone = await host.run(program('counters'), again, { env });
    expect([alone.code, alone.stderr]).toEqual([
      1,
      expect.stringContaining(
        'metrics cannot be served at 127.0.0.1:9477 (EADDRINUSE); choose a port that is free',
      ),
    ]);
    expect(await rig.status()).toMatchObject({ state: 'ok', losses: 0 });
  },
  labMissing() ?? (noSocat ? 'socat' : undefined),
);
