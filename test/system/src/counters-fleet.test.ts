import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  program,
  SHARED_INSIDE,
  STANDARD,
  standardLab,
  startManager,
  STATE_INSIDE,
  systemPath,
  until,
  type Child,
  type Place,
} from '@pp/lab';
import { CountersRig, MONTH_TIMEOUT_MS, monthLasts, thisMonth } from './counters-rig';

/* counters deliver into a redis-server, which is killed and started again while packets pass. */

const SOCKET = `${SHARED_INSIDE}/redis.sock`;

const missing =
  labMissing() ??
  (spawnSync('redis-server', ['--version'], { env: { ...process.env, PATH: systemPath() } }).status === 0
    ? undefined
    : 'redis-server (apt-get install redis-server)');

let rig: CountersRig | undefined;
beforeEach(monthLasts, MONTH_TIMEOUT_MS);
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function startRedis(host: Place): Promise<Child> {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--dir', SHARED_INSIDE];
  const server = host.spawn('redis-server', ['--port', '0', '--unixsocket', SOCKET, ...durable]);
  await until(
    'redis answers',
    async () => (await host.ok('redis-cli', ['-s', SOCKET, 'ping'])).trim() === 'PONG',
  );
  return server;
}

interface Report {
  readonly rows: readonly {
    readonly host?: string;
    readonly uplink: string;
    readonly tx_packets: number;
    readonly rx_packets: number;
    readonly tx_bytes: number;
  }[];
}

async function report(host: Place, ...args: readonly string[]): Promise<Report> {
  const line = ['traffic', 'report', '--month', thisMonth(), '--json', ...args];
  return JSON.parse(await host.ok(program('patchpanelctl'), line)) as Report;
}

const COUNTERS = ['--period', '1', '--state', `redis+unix:${SOCKET}`, '--fleet-host', 'kiosk7'];

labTest(
  'a Redis that comes and goes: counting goes on, the status says so, and in the end all is there once',
  async () => {
    rig = await CountersRig.open();
    const { host } = rig;
    let redis = await startRedis(host);
    const state = async (): Promise<string> => String((await rig?.status())?.['state']);
    await rig.startCounters(COUNTERS);
    const load = host.spawn('ping', ['-n', '-q', '-i', '0.02', STANDARD.internet.v4]);
    await until('it delivers', async () => Number((await rig?.status())?.['fleetDelivered']) > 1);

    redis.kill('SIGKILL');
    await redis.exited;
    await until('it is degraded', async () => (await state()) === 'degraded');
    const before = Number((await report(host, '--by', 'uplink')).rows[0]?.tx_packets);
    await until(
      'local sums grow',
      async () => Number((await report(host, '--by', 'uplink')).rows[0]?.tx_packets) > before + 20,
    );
    const refused = await host.run(program('patchpanelctl'), ['traffic', 'report', '--fleet']);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/the fleet's store does not answer: Redis: .+/),
    ]);
    await rig.killCounters(); // what waits is in its journal
    await rig.startCounters(COUNTERS);
    await until('it is degraded again', async () => (await state()) === 'degraded');

    redis = await startRedis(host);
    await until('it delivers again', async () => (await state()) === 'ok');
    await load.stop();
    // Neighbour discovery may count between the two reports: at some time they are the same.
    const both = async (): Promise<readonly [Report, Report]> => [
      await report(host, '--by', 'uplink'),
      await report(host, '--fleet', '--by', 'host,uplink'),
    ];
    const ofHost = ({ rows }: Report): string =>
      JSON.stringify(rows.map((row) => ({ host: 'kiosk7', ...row })));
    const [local] = await until('the fleet has what this host has', async () => {
      const [own, fleet] = await both();
      return ofHost(own) === JSON.stringify(fleet.rows) ? ([own] as const) : undefined;
    });
    expect(Number(local.rows[0]?.tx_packets)).toBeGreaterThan(40);
    const inRedis = await host.ok('redis-cli', [
      '-s',
      SOCKET,
      'hgetall',
      `patchpanel:{fleet}:month:${thisMonth()}`,
    ]);
    expect(inRedis).toContain('["kiosk7","* eth0 ');
    await redis.stop();
  },
  missing,
);

labTest('what is no store is one sentence', async () => {
  rig = await CountersRig.open();
  const { host } = rig;
  const refused = async (...args: readonly string[]): Promise<readonly unknown[]> => {
    const { code, stderr } = await host.run(program('counters'), [
      '--state-dir',
      `${STATE_INSIDE}-2`,
      ...args,
    ]);
    return [code, stderr];
  };
  expect(await refused('--state', 'memcached://h')).toEqual([
    2,
    "counters: --state: store 'memcached://h' is no store; write redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB], redis+unix:/PATH or file:/PATH\n",
  ]);
  expect(await refused('--fleet-host', 'x')).toEqual([
    2,
    "counters: --fleet-host 'x' needs a store; write for example --state redis://10.0.0.1:6379\n",
  ]);
  const instead = 'write a file that is not there yet, e.g. --state file:/var/lib/patchpanel/fleet-sums';
  const own = `${STATE_INSIDE}-2/fleet`;
  expect(await refused('--state', `file:${own}`, 'eth0')).toEqual([
    1,
    `counters: ${own} is a file of these counters; ${instead}\n`,
  ]);
  const notes = `${SHARED_INSIDE}/notes`;
  writeFileSync(join(host.shared, 'notes'), 'not ours\n');
  expect(await refused('--state', `file:${notes}`, 'eth0')).toEqual([
    1,
    `counters: ${notes} holds something else than a journal, and is left as it is; ${instead}\n`,
  ]);
  expect(readFileSync(join(host.shared, 'notes'), 'utf8')).toBe('not ours\n');
  await rig.startCounters();
  const alone = await host.run(program('patchpanelctl'), ['traffic', 'report', '--fleet']);
  expect([alone.code, alone.stderr]).toEqual([
    1,
    'patchpanelctl: this host is in no fleet; start counters with --state redis://HOST\nsee patchpanelctl --help\n',
  ]);
  expect(readFileSync(join(host.shared, 'state', 'traffic'), 'utf8').length).toBeGreaterThan(0);
});

labTest(
  'the counters that the manager runs are in its fleet by --state',
  async () => {
    const lab = await standardLab();
    try {
      await startRedis(lab.host);
      const args = ['--uplink', 'eth0=ethernet', '--helpers', 'spawn', '--state', `redis+unix:${SOCKET}`];
      const manager = await startManager(lab.host, { args });
      const delivered = async (): Promise<boolean> => {
        await lab.host.run('ping', ['-c', '1', STANDARD.internet.v4]);
        const fleet = await report(lab.host, '--fleet', '--by', 'host,uplink');
        return fleet.rows.some(
          ({ host, uplink, tx_packets }) => host === 'host' && uplink === 'eth0' && tx_packets > 0,
        );
      };
      await until('the fleet has what the manager’s counters counted', delivered, { deadline: seconds(40) });
      await manager.stop();
    } finally {
      await lab.close();
    }
  },
  missing,
);
