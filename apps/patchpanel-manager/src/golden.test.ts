import { accept } from '@pp/base';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from '@pp/proto';
import { guestMethods } from './dbus/guest-methods';
import type { Manager } from './manager';
import { FakeHost } from './testing/fake-host';
import { freshDump, settled, started } from './testing/story';

/*
 * For each kind of guest and each set of uplinks, all that the kernel is asked to hold for it, as text (less the table's frame, which
 * libs/datapath has its own files for). After a wanted change: UPDATE_GOLDEN=1 npx jest golden, and read the difference.
 */
type Start = (host: FakeHost, manager: Manager) => Promise<unknown>;

const call = async (
  host: FakeHost,
  manager: Manager,
  method: keyof ReturnType<typeof guestMethods>,
  body: Uint8Array,
) => {
  const { reconciler } = manager;
  const parts = {
    reconciler,
    processNetns: host.processNetns,
    randomBytes: host.randomBytes,
    ownPid: 99,
    tapOwner: 777,
    defer: queueMicrotask,
  };
  const answer = guestMethods(parts)[method];
  return await answer({ caller: accept({ uid: 0, pid: 5 }), body, takeFd: () => null });
};

const connect =
  (request: {
    readonly outboundPhysicalDevice?: string;
    readonly routeOnVpn?: boolean;
    readonly allowUserTraffic?: boolean;
  }): Start =>
  (host, manager) =>
    host.connectMethod(manager)({
      caller: accept({ uid: 0, pid: 5 }),
      body: encode('ConnectNamespaceRequest', { pid: 4711, ...request }),
      takeFd: () => host.descriptors.open(),
    });

const GUESTS: Readonly<Record<string, Start>> = {
  'namespace-default': connect({}),
  'namespace-user': connect({ routeOnVpn: true, allowUserTraffic: true }),
  'namespace-pinned': connect({ outboundPhysicalDevice: 'eth0' }),
  termina: (host, manager) =>
    call(host, manager, 'TerminaVmStartup', encode('TerminaVmStartupRequest', { cid: 7 })),
  plugin: (host, manager) =>
    call(host, manager, 'PluginVmStartup', encode('PluginVmStartupRequest', { id: 9n, subnetIndex: 3 })),
  'arc-vm': (host, manager) => call(host, manager, 'ArcVmStartup', encode('ArcVmStartupRequest', { cid: 5 })),
  'arc-container': (host, manager) =>
    call(host, manager, 'ArcStartup', encode('ArcStartupRequest', { pid: 4711 })),
};
const UPLINKS: Readonly<Record<string, readonly string[]>> = {
  one: ['eth0'],
  two: ['eth0', 'eth1'],
  'gone-after': [],
};

const cases = Object.keys(GUESTS).flatMap((guest) =>
  Object.keys(UPLINKS).map((uplinks) => ({ guest, uplinks })),
);

test.each(cases)('$guest with uplinks $uplinks', async ({ guest, uplinks }) => {
  const host = new FakeHost(uplinks === 'gone-after' ? ['eth0'] : UPLINKS[uplinks]);
  const manager = await started(host);
  expect(await GUESTS[guest]?.(host, manager)).toMatchObject({ ok: true });
  if (uplinks === 'gone-after') {
    host.tell([]);
    await settled(manager);
  }
  expect(host.kernel.dump()).toBe(await freshDump(manager));
  const lines = host.kernel.dump().split('\n');
  const text = `${lines.filter((line) => !/^(chain|counter|set|map|table| |sysctl net\.ipv[46]\.(ip_|conf\.(all|default|eth)))/.test(line)).join('\n')}\n`;
  const file = join(__dirname, 'golden', `${guest}.${uplinks}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
});
