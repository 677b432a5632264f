import { seconds } from '@pp/base';
import {
  ApiClient,
  connectedNamespace,
  labMissing,
  labTest,
  program,
  secondUidMissing,
  standardLab,
  startManager,
  until,
  type Child,
  type StandardLab,
} from '@pp/lab';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Who may call what, asked of a dbus-daemon that has loaded the policy file that we ship, by users of the names that it knows. What there
 * is to be called is what the manager says of itself, so a method that nobody thought of fails the test.
 */

const API = 'org.chromium.PatchPanel';
const FORWARDING = 'org.chromium.PatchPanel.Forwarding1';
const EVERYBODY = 'everybody';

/** Beside root, who may do anything (spec/patchpanel.md 1.3; reading is for everybody on plain Linux). */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  [`${API}.ArcStartup`]: [],
  [`${API}.ArcShutdown`]: [],
  [`${API}.ArcVmStartup`]: ['crosvm'],
  [`${API}.ArcVmShutdown`]: ['crosvm'],
  [`${API}.TerminaVmStartup`]: ['crosvm'],
  [`${API}.TerminaVmShutdown`]: ['crosvm'],
  [`${API}.PluginVmStartup`]: ['crosvm'],
  [`${API}.PluginVmShutdown`]: ['crosvm'],
  [`${API}.SetVpnIntent`]: ['tlsdate'],
  [`${API}.ConnectNamespace`]: ['system-proxy', 'dns-proxy'],
  [`${API}.GetTrafficCounters`]: [EVERYBODY],
  [`${API}.ModifyPortRule`]: ['devbroker'],
  [`${API}.GetDevices`]: [EVERYBODY],
  [`${API}.SetVpnLockdown`]: ['shill'],
  [`${API}.SetDnsRedirectionRule`]: ['dns-proxy'],
  [`${FORWARDING}.GetForwarding`]: ['patchpanel-fwd'],
  [`${FORWARDING}.NeighborDetected`]: ['patchpanel-fwd'],
  [`${FORWARDING}.NeighborLost`]: ['patchpanel-fwd'],
  [`${FORWARDING}.GetCounted`]: ['patchpanel-fwd'],
  'org.freedesktop.DBus.Introspectable.Introspect': [EVERYBODY],
  ...Object.fromEntries(
    ['Get', 'GetAll', 'Set'].map((name) => [`org.freedesktop.DBus.Properties.${name}`, []]),
  ),
  'org.freedesktop.DBus.Peer.Ping': [EVERYBODY],
  'org.freedesktop.DBus.Peer.GetMachineId': [EVERYBODY],
};

/** Uids by name; `stranger` is in no policy. */
const USERS: ReadonlyMap<string, number> = new Map(
  ['stranger', ...new Set(Object.values(CALLERS).flat())]
    .filter((name) => name !== EVERYBODY)
    .map((name, i) => [name, 30_001 + i]),
);

const missing = labMissing() ?? secondUidMissing();
let lab: StandardLab;
let client: ApiClient;

beforeAll(async () => {
  if (missing !== undefined) return;
  lab = await standardLab();
  await addUsers();
  await startManager(lab.host);
  client = await ApiClient.open(lab.bus.outside);
}, 60_000);

afterAll(async () => {
  if (missing !== undefined) return;
  await lab.close();
  client.close();
}, 60_000);

/** On the lab's host alone; the bus reads its configuration again, and finds them. */
async function addUsers(): Promise<void> {
  const lines = [...USERS].map(([name, uid]) => `${name}:x:${uid}:65534::/nonexistent:/usr/sbin/nologin\n`);
  writeFileSync(join(lab.host.shared, 'passwd'), readFileSync('/etc/passwd', 'utf8') + lines.join(''));
  await lab.host.shell('mount --bind /run/lab/passwd /etc/passwd');
  await send(0, 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus.ReloadConfig');
}

/** What a call says: the end of the error's name, or "done". */
async function send(
  uid: number,
  destination: string,
  path: string,
  method: string,
  ...args: readonly string[]
): Promise<string> {
  const as = ['setpriv', '--reuid', String(uid), '--clear-groups', '--'];
  const call = [
    'dbus-send',
    `--bus=${lab.bus.inside}`,
    '--print-reply',
    `--dest=${destination}`,
    path,
    method,
  ];
  const [command = '', ...rest] = uid === 0 ? [...call, ...args] : [...as, ...call, ...args];
  const { code, stderr } = await lab.host.run(command, rest);
  return code === 0 ? 'done' : (/^Error (\S+):/m.exec(stderr)?.[1] ?? stderr);
}

/** What the manager refuses it has heard. */
const HEARD =
  /^(done|org\.chromium\.PatchPanel\.Error\.InvalidArgument|org\.freedesktop\.DBus\.Error\.InvalidArgs)$/;

/** Calls with a body that is no message, so that nothing happens. */
async function outcome(uid: number, method: string): Promise<string> {
  const takesNone = /^org\.freedesktop\.DBus\.(Peer|Introspectable)\./.test(method);
  const said = await send(
    uid,
    API,
    '/org/chromium/PatchPanel',
    method,
    ...(takesNone ? [] : ['array:byte:255']),
  );
  if (HEARD.test(said)) return 'heard';
  return said === 'org.freedesktop.DBus.Error.AccessDenied' ? 'denied' : said;
}

/** Interface and name of every method that the manager says it has. */
async function introspected(): Promise<readonly string[]> {
  const { body } = await client.bus.call({
    destination: API,
    path: '/org/chromium/PatchPanel',
    interface: 'org.freedesktop.DBus.Introspectable',
    member: 'Introspect',
  });
  const interfaces = String(body[0]).split('<interface name="').slice(1);
  return interfaces.flatMap((text) => {
    const [name = ''] = text.split('"');
    return [...text.matchAll(/<method name="(\w+)"/g)].map(([, method = '']) => `${name}.${method}`);
  });
}

labTest(
  'every method of the manager is in the policy, for whom it shall be',
  async () => {
    const methods = await introspected();
    expect([...methods].sort()).toEqual(Object.keys(CALLERS).sort());
    for (const method of methods) {
      const allowed = CALLERS[method] ?? [];
      const outcomes = await Promise.all(
        [...USERS].map(async ([name, uid]) => [method, name, await outcome(uid, method)]),
      );
      const may = (name: string): boolean => allowed.includes(EVERYBODY) || allowed.includes(name);
      expect(outcomes).toEqual(
        [...USERS.keys()].map((name) => [method, name, may(name) ? 'heard' : 'denied']),
      );
      expect([method, 'root', await outcome(0, method)]).toEqual([method, 'root', 'heard']);
    }
  },
  missing,
  seconds(120),
);

labTest(
  'one user gets 12 of the 16 namespaces, and leaves the others to others',
  async () => {
    const ctl = (user: string) => {
      const as = ['--reuid', String(USERS.get(user)), '--clear-groups', '--'];
      return lab.host.spawn('setpriv', [...as, program('patchpanelctl'), 'connect', '--new', '--json']);
    };
    const connects = async (user: string): Promise<Child> => {
      const child = ctl(user);
      await child.line('answer in JSON', connectedNamespace);
      return child;
    };
    const held: Child[] = [];
    for (let i = 0; i < 12; i++) held.push(await connects('system-proxy'));
    const refused = await ctl('system-proxy').exited;
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`uid ${USERS.get('system-proxy')} has 12 connected namespaces`) as string,
    ]);
    held.push(await connects('dns-proxy'));
    await held.shift()?.stop();
    await until('one of them is released', async () => {
      held.push(await connects('system-proxy'));
      return true;
    });
    for (const child of held) await child.stop();
  },
  missing,
  seconds(120),
);

labTest(
  'nobody but root takes the name',
  async () => {
    const said = await Promise.all(
      [...USERS.values()].map((uid) =>
        send(
          uid,
          'org.freedesktop.DBus',
          '/org/freedesktop/DBus',
          'org.freedesktop.DBus.RequestName',
          `string:${API}`,
          'uint32:4',
        ),
      ),
    );
    expect(new Set(said)).toEqual(new Set(['org.freedesktop.DBus.Error.AccessDenied']));
  },
  missing,
);
