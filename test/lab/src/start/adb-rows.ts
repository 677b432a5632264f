import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startArcContainer } from '../guest-kinds';
import { SHARED_INSIDE, type Host } from '../host';
import { program, STATE_INSIDE } from '../manager';
import { Adb, startAdbd } from '../services/adbd';
import { until } from '../until';
import { whileRunning } from './guest-rows';
import type { Scene } from './scene';
import type { Row, Verdict } from './table';

const HERE = '127.0.0.1:5555';
const MEGABYTES = 100;

/** Debian's adb to an emulated adbd of Android, by way of adb-proxy, which follows the manager. */
export const ADB_ROWS: readonly Row<Scene>[] = [
  {
    name: 'adb to Android through adb-proxy',
    check: whileRunning(startArcContainer, (_running, scene) => adbWorks(scene)),
  },
];

async function adbWorks({ lab: { host } }: Scene): Promise<Verdict> {
  mkdirSync(join(host.shared, 'sdcard'), { recursive: true });
  await host.shell('mkdir -p /run/arc/adb');
  const adbd = await startAdbd(host, 'unix:/run/arc/adb/adb.sock', `${SHARED_INSIDE}/sdcard`);
  const proxy = host.spawn(program('adb-proxy'), ['--allow', 'always', '--state-dir', STATE_INSIDE]);
  const adb = await Adb.start(host, host);
  try {
    await until('adb-proxy listens', async () => (await host.shell('ss -Hltn')).includes(`${HERE} `));
    const connected = await adb.run('connect', HERE);
    const said = await adb.run('-s', HERE, 'shell', 'echo $((6 * 7))');
    const same = await thereAndBack(adb, host);
    const evidence = `${connected}; shell says ${said}; ${MEGABYTES} MB pushed and pulled ${same ? 'byte for byte the same' : 'CHANGED'}`;
    return { ok: /connected to/.test(connected) && said === '42' && same, evidence };
  } finally {
    await Promise.all([adb.stop(), proxy.stop(), adbd.stop()]);
    await host.shell(`rm -rf /run/arc ${SHARED_INSIDE}/sdcard`);
  }
}

async function thereAndBack(adb: Adb, host: Host): Promise<boolean> {
  const [there, back] = [`${SHARED_INSIDE}/there`, `${SHARED_INSIDE}/back`];
  await host.shell(`head -c ${MEGABYTES}000000 /dev/urandom > ${there}`);
  await adb.run('-s', HERE, 'push', there, '/data/local/tmp/blob');
  await adb.run('-s', HERE, 'pull', '/data/local/tmp/blob', back);
  const { code } = await host.run('cmp', [there, back]);
  await host.shell(`rm ${there} ${back}`);
  return code === 0;
}
