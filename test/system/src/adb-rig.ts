import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@pp/daemon';
import { connectBus, type Bus } from '@pp/dbus';
import { MemoryLog } from '@pp/base/testing';
import {
  type Adb,
  ApiClient,
  program,
  SHARED_INSIDE,
  standardLab,
  startAdbd,
  startManager,
  until,
  type Child,
  type Host,
  type Manager,
  type Place,
  type StandardLab,
} from '@pp/lab';
import { loadNative } from '@pp/native';

export const PROXY_STATE = `${SHARED_INSIDE}/adb-proxy`;
/** Where adbd of an Android container listens. */
export const CONTAINER_SOCKET = 'unix:/run/arc/adb/adb.sock';

export interface AdbStatus {
  readonly target: string;
  readonly open: number;
  readonly allowed: boolean;
  readonly bytesFromTargets: number;
  readonly listeners: readonly { readonly at: string; readonly state: string; readonly accepted: number }[];
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
}

/** Starts adb-proxy and waits until it is ready. */
export async function startProxy(place: Place, args: readonly string[]): Promise<Child> {
  const proxy = place.spawn(program('adb-proxy'), [...args, '--state-dir', PROXY_STATE]);
  await proxy.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
  return proxy;
}

export const statusOf = async (place: Place): Promise<AdbStatus> =>
  JSON.parse(
    await place.ok(program('adb-proxy'), ['status', '--json', '--state-dir', PROXY_STATE]),
  ) as AdbStatus;

/** Places that it listens at, once there are any or none, as wanted. */
export const listens = (place: Place, wanted: readonly string[]): Promise<unknown> =>
  until(`it listens at ${wanted.join(', ') || 'nothing'}`, async () => {
    const { listeners } = await statusOf(place);
    const open = listeners.filter(({ state }) => state === 'open').map(({ at }) => at);
    return JSON.stringify(open.sort()) === JSON.stringify([...wanted].sort());
  });

export const refusals = async (place: Place, reason: string): Promise<number> =>
  (await statusOf(place)).refused.find((each) => each.reason === reason)?.count ?? NaN;

/** Whether a TCP connection is made, and still there a moment later: a refused one is closed at once. */
export async function stays(place: Place, address: string, port = 5555): Promise<boolean> {
  const script = `exec 3<>/dev/tcp/${address}/${port} || exit 1; read -r -t 2 -n 1 x <&3; [ $? -gt 128 ]`;
  const { code } = await place.run('timeout', ['25', 'bash', '-c', script]);
  return code === 0;
}

/** An emulated adbd on a host, its files in the directory that the host shares. */
export async function adbdOn(host: Host, where: string, place: Place = host): Promise<Child> {
  mkdirSync(join(host.shared, 'sdcard'), { recursive: true });
  await host.shell('mkdir -p /run/arc/adb');
  return startAdbd(place, where, `${SHARED_INSIDE}/sdcard`);
}

/** connect, shell, push and pull of 100 MB; throws where one of them does not do as it should. */
export async function useDevice(adb: Adb, host: Host, address: string): Promise<void> {
  const connected = await adb.run('connect', address);
  if (!/^(already )?connected to/.test(connected)) throw new Error(connected);
  const said = await adb.run('-s', address, 'shell', 'echo from $((40 + 2))');
  if (said !== 'from 42') throw new Error(`adb shell: ${said}`);
  if ((await adb.exitCode('-s', address, 'shell', 'exit 7')) !== 7)
    throw new Error('adb shell loses the exit code');
  await host.shell(`head -c 100000000 /dev/urandom > ${SHARED_INSIDE}/there`);
  await adb.run('-s', address, 'push', `${SHARED_INSIDE}/there`, '/data/local/tmp/blob');
  await adb.run('-s', address, 'pull', '/data/local/tmp/blob', `${SHARED_INSIDE}/back`);
  await host.shell(
    `cmp ${SHARED_INSIDE}/there ${SHARED_INSIDE}/back; rm ${SHARED_INSIDE}/there ${SHARED_INSIDE}/back`,
  );
}

/** A session manager that answers QueryAdbSideload. */
export class SessionManager {
  readonly #bus: Bus;

  private constructor(bus: Bus) {
    this.#bus = bus;
  }

  static async start(address: string, isEnabled: boolean): Promise<SessionManager> {
    const bus = await connectBus({ native: loadNative(), clock: systemClock, log: new MemoryLog(), address });
    const spec = {
      name: 'org.chromium.SessionManagerInterface',
      methods: [{ name: 'QueryAdbSideload', in: [], out: [{ name: 'enabled', type: 'b' }] }],
    } as const;
    bus.serve('/org/chromium/SessionManager', spec, {
      QueryAdbSideload: () => Promise.resolve({ body: [isEnabled] }),
    });
    if ((await bus.requestName('org.chromium.SessionManager')) === 'taken')
      throw new Error('there is one already');
    return new SessionManager(bus);
  }

  close(): void {
    this.#bus.close();
  }
}

/** A host with a manager, and a client of it. */
export interface ManagedLab {
  readonly lab: StandardLab;
  readonly client: ApiClient;
  manager: Manager;
}

export async function managedLab(): Promise<ManagedLab> {
  const lab = await standardLab();
  try {
    const manager = await startManager(lab.host);
    return { lab, manager, client: await ApiClient.open(lab.bus.outside) };
  } catch (fault) {
    await lab.close(); // else its processes would keep the test run alive
    throw fault;
  }
}
