/*
 * `npm start`: shows the main job in a private lab and checks every claim of its table for real.
 *   --keep   leaves the lab up, with the manager serving and a namespace connected, until Ctrl-C
 *   --json   prints the rows as JSON
 * Exit code 0 only if every row is true.
 */
import { parseArgs } from 'node:util';
import { startManager } from './manager';
import { howToEnter, interrupted, openForVisitors, runLabProgram, say, showProgress } from './program';
import { standardLab, type StandardLab } from './standard-lab';
import { ADB_ROWS } from './start/adb-rows';
import { BROADCAST_ROWS } from './start/broadcast-rows';
import { CONNECT_ROWS } from './start/connect-rows';
import { DISCOVERY_ROWS } from './start/discovery-rows';
import { GUEST_ROWS } from './start/guest-rows';
import { IPV6_ROWS } from './start/ipv6-rows';
import { RECOVERY_ROWS } from './start/recovery-rows';
import { connectGuest, openScene, type Scene } from './start/scene';
import { TRAFFIC_ROWS } from './start/traffic-rows';
import { allTrue, checkRows, tableText, type CheckedRow } from './start/table';

interface Options {
  readonly keep: boolean;
  readonly json: boolean;
}

void runLabProgram(main);

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  say('== opening the lab: internet, router, LAN neighbour, host');
  const lab = await standardLab();
  try {
    const shown = await Promise.race([show(lab, options), interrupted()]);
    if (typeof shown === 'number') return shown;
    if (options.keep) await holdOpen(shown.scene);
    return allTrue(shown.rows) ? 0 : 1;
  } finally {
    await lab.close();
  }
}

function readOptions(): Options | undefined {
  try {
    const options = {
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (fault) {
    say(`npm start: ${fault instanceof Error ? fault.message : String(fault)} (there are --keep and --json)`);
    return undefined;
  }
}

interface Shown {
  readonly scene: Scene;
  readonly rows: readonly CheckedRow[];
}

async function show(lab: StandardLab, { json }: Options): Promise<Shown> {
  say('== starting patchpanel-manager on the host, with eth0 as its uplink');
  const scene = await openScene(lab);
  say('== checking');
  const rows = await checkRows(
    [
      ...CONNECT_ROWS,
      ...GUEST_ROWS,
      ...IPV6_ROWS,
      ...DISCOVERY_ROWS,
      ...BROADCAST_ROWS,
      ...ADB_ROWS,
      ...TRAFFIC_ROWS,
      ...RECOVERY_ROWS,
    ],
    scene,
    showProgress,
  );
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : tableText(rows));
  return { scene, rows };
}

/** The last row has stopped the manager: the visitor finds it serving again, and a connected guest. */
async function holdOpen(scene: Scene): Promise<void> {
  scene.manager = await startManager(scene.lab.host, {
    args: ['--uplink', 'eth0=ethernet', '--helpers', 'spawn'],
  });
  await openForVisitors(scene.lab);
  const { namespace } = await connectGuest(scene);
  say(`== the lab stays up until Ctrl-C; to enter it:\n${howToEnter(scene.lab)}`);
  say(`  guest     ${scene.guest.enterCommand}   (${namespace.netns_name}, ${namespace.peer_ipv4_address})`);
  await interrupted();
}
