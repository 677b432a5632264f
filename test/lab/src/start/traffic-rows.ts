import { startTermina } from '../guest-kinds';
import type { Host } from '../host';
import { tapMissing } from '../lab-test';
import { eventOf, program, STATE_INSIDE } from '../manager';
import { STANDARD } from '../standard-lab';
import { until } from '../until';
import { whileRunning } from './guest-rows';
import type { Scene } from './scene';
import type { Row, Verdict } from './table';

/** Who used how much, by counters, which run for as long as the row is checked. */
export const TRAFFIC_ROWS: readonly Row<Scene>[] = [
  { name: 'traffic by guest and source', check: trafficBySource, missing: tapMissing },
];

const ECHOES = 5;
/** 20 IPv4 + 8 ICMP + 56. */
const ECHO_BYTES = 84;

async function trafficBySource(scene: Scene): Promise<Verdict> {
  const { host } = scene.lab;
  const counters = host.spawn(program('counters'), ['--state-dir', STATE_INSIDE, '--log-format', 'json']);
  await counters.line('log line "ready"', (line) => (eventOf(line) === 'ready' ? true : undefined));
  return countedVm(scene).finally(() => counters.stop());
}

/** A VM sends echo requests and gets the answers, so its bytes are known. */
const countedVm = whileRunning(
  (served) => startTermina(served, 5),
  async ({ guest }, { lab }) => {
    await guest.ok('ping', ['-n', '-q', '-c', String(ECHOES), '-i', '0.05', STANDARD.internet.v4]);
    const bytes = ECHOES * ECHO_BYTES;
    const want = `termina/5,eth0,CROSVM,${bytes},${bytes},${ECHOES},${ECHOES}`;
    let row = 'nothing counted';
    await until('counters know whose link it is', async () => {
      row = await rowOf(lab.host, 'termina/5');
      return row === want;
    }).catch(() => undefined);
    return { ok: row === want, evidence: row };
  },
);

async function rowOf(host: Host, guest: string): Promise<string> {
  const ask = ['traffic', 'report', '--by', 'guest,uplink,source', '--csv'];
  const rows = (await host.ok(program('patchpanelctl'), ask)).split('\r\n');
  return rows.find((each) => each.startsWith(`${guest},`)) ?? 'nothing counted';
}
