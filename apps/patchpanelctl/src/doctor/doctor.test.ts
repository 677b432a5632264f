import { ExitCode, Refused } from '@pp/daemon';
import { FakeHostInspection } from '@pp/ports/testing';
import { diagnosis, doctor } from './doctor';
import type { DoctorDoors } from './gather';
import { FAULT_ROWS, type Setting } from './testing';
import type { Finding } from './finding';

const LINK = { kind: null, type: 1, loopback: false, up: true, running: true, multicast: true, mtu: 1500 };

/** Linux before 6.17: IPv6 is forwarded by all interfaces or none. */
const HEALTHY: Setting = {
  host: {
    files: { '/proc/self/status': 'Name:\tnode\nCapEff:\t000001fffeffffff\n' },
    sysctls: {
      'net.ipv4.ip_forward': '1',
      'net.ipv4.ip_local_port_range': '32768\t47103',
      'net.ipv4.conf.all.rp_filter': '0',
      'net.ipv4.conf.eth0.rp_filter': '0',
      'net.ipv6.conf.eth0.accept_ra': '2',
      'net.ipv6.conf.all.forwarding': '1',
      'net.ipv6.conf.all.disable_ipv6': '0',
      'net.netfilter.nf_conntrack_count': '12',
      'net.netfilter.nf_conntrack_max': '262144',
    },
    devices: { '/dev/net/tun': null },
    network: {
      view: {
        links: [{ ...LINK, ifname: 'eth0', ifindex: 2, mac: '', physical: true, enslaved: false }],
        addresses: [{ ifindex: 2, cidr: '192.168.77.2/24' }],
        routes: [],
        markRules: [],
      },
      own: [{ ifname: 'vmtap0', ifindex: 7 }],
    },
    ruleset: '{"nftables":[{"metainfo":{}}]}',
    datapathFault: null,
  },
  manager: {
    version: '0.1.0',
    ready: true,
    uplinks: [
      { ifname: 'eth0', state: 'up', default: true },
      { ifname: 'wlan0', state: 'awaited', default: false },
    ],
    helpers: [
      { name: 'ndproxy', state: 'running' },
      { name: 'mcastfwd', state: 'running' },
      { name: 'adb-proxy', state: 'absent' },
    ],
    warnings: [],
  },
  silent: [],
  bus: { hasManager: true },
  hasOwnBus: false,
};

const doorsOf = ({ host, manager, silent, bus, hasOwnBus }: Setting): DoctorDoors => ({
  host: new FakeHostInspection(host),
  connectBus: () =>
    bus === null
      ? Promise.reject(new Error('cannot connect'))
      : Promise.resolve({
          call: ({ member, body }) => {
            expect([member, body]).toEqual(['NameHasOwner', ['org.chromium.PatchPanel']]);
            return Promise.resolve({ signature: 'b', body: [bus.hasManager], fds: [] });
          },
          close: () => undefined,
        }),
  status: (service) => {
    const isManager = service === 'patchpanel-manager';
    return (isManager && manager === null) || silent.includes(service)
      ? Promise.reject(new Refused(ExitCode.unreachable, `${service} is not running`))
      : Promise.resolve(isManager ? JSON.stringify(manager) : '{}');
  },
  hasOwnBus,
  version: '0.1.0',
});

/** All that is not ok. */
async function faultsOf(setting: Setting): Promise<readonly Finding[]> {
  const { text } = await doctor(true, doorsOf(setting));
  const { checks } = JSON.parse(text) as { readonly checks: readonly Finding[] };
  return checks.filter(({ level }) => level !== 'ok');
}

test('a healthy host: every check says what is well', async () => {
  expect(await doctor(false, doorsOf(HEALTHY))).toEqual({
    text: [
      'ok privileges: this program may see everything',
      'ok bus: the system bus answers',
      'ok policy: the bus lets the manager have its name',
      'ok manager: release 0.1.0 runs',
      'ok helpers: all that are to run answer',
      'ok tun: /dev/net/tun opens',
      'ok kernel: links, rules, sets and routes of guests can be made',
      'ok ipv6: this host has IPv6',
      'ok sysctls: all are as the manager set them',
      "ok firewall: 0 chains of others let guests' packets pass",
      "ok network: no address, route or mark is in guests' way",
      "ok managers: no other program manages guests' links",
      'ok conntrack: 12 of 262144 connections are tracked',
      'ok reflector: nobody else reflects mDNS',
      '',
    ].join('\n'),
    exitCode: 0,
  });
});

test.each(FAULT_ROWS)('$name', async ({ change, want }) => {
  expect(await faultsOf(change(HEALTHY))).toEqual(want);
});

test('another bus has a policy of its own', async () => {
  const setting = { ...HEALTHY, manager: null, bus: { hasManager: false }, hasOwnBus: true };
  expect((await faultsOf(setting)).map(({ name }) => name)).toEqual(['manager']);
});

test('what the manager would tell root only is not said to be well', async () => {
  const why = '/run/patchpanel/patchpanel-manager.sock may not be opened';
  const status = () => Promise.reject(new Refused(ExitCode.denied, why));
  const { text } = await doctor(false, { ...doorsOf(HEALTHY), status });
  const unseen = text
    .split('\n')
    .filter((line) => line.endsWith(`cannot be looked at: ${why}; run this as root`));
  expect(unseen.map((line) => line.split(':')[0])).toEqual(
    ['manager', 'helpers', 'sysctls'].map((name) => `warning ${name}`),
  );
});

const ROWS: readonly { readonly name: string; readonly in: readonly Finding[]; readonly want: unknown }[] = [
  {
    name: 'warnings are no failure',
    in: [
      { level: 'ok', name: 'a', found: 'well' },
      { level: 'warning', name: 'b', found: 'hm', advice: 'look' },
    ],
    want: [0, 'ok a: well\nwarning b: hm; look\n', { v: 1, problems: 0, warnings: 1 }],
  },
  {
    name: "problems are, and others' names cannot write on the terminal",
    in: [{ level: 'problem', name: 'c', found: 'eth\u001b[2J', advice: 'mend it' }],
    want: [1, 'problem c: eth?[2J; mend it\n', { v: 1, problems: 1, warnings: 0 }],
  },
];

test.each(ROWS)('$name', ({ in: findings, want }) => {
  const { text, exitCode } = diagnosis(findings, false);
  const { checks, ...rest } = JSON.parse(diagnosis(findings, true).text) as Record<string, unknown>;
  expect([exitCode, text, rest]).toEqual(want);
  expect(checks).toEqual(findings);
});
