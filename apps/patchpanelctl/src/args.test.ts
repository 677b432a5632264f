import { readCommand, type Asked } from './args';
import type { GuestCall } from './guest-args';

const REQUEST = { pid: undefined, outbound: '', allowUserTraffic: false, routeOnVpn: false, source: 0 };
const CONNECT = {
  do: 'connect',
  request: REQUEST,
  json: false,
  stateDir: '/run/patchpanel',
  run: [],
} as const;
const called = (what: GuestCall['what'], guest: GuestCall['guest'], id: bigint, subnetIndex = 0): Asked => ({
  do: 'guest',
  call: { what, guest, id, subnetIndex },
  json: false,
  stateDir: '/run/patchpanel',
});
const refused = (sentence: string): Asked => ({ do: 'refuse', exitCode: 2, sentence });
const SOURCES = 'unknown, chrome, user, arc, crosvm, pluginvm, update-engine, vpn, system';

const rows: { name: string; in: string; want: Asked }[] = [
  { name: 'status', in: 'status', want: { do: 'status', json: false, stateDir: '/run/patchpanel' } },
  {
    name: 'status, all options',
    in: 'status --json --state-dir /x',
    want: { do: 'status', json: true, stateDir: '/x' },
  },
  {
    name: 'the state dir first',
    in: '--state-dir /x status',
    want: { do: 'status', json: false, stateDir: '/x' },
  },
  { name: 'a new namespace', in: 'connect --new', want: CONNECT },
  {
    name: 'of a process',
    in: 'connect --pid 4242',
    want: { ...CONNECT, request: { ...REQUEST, pid: 4242 } },
  },
  {
    name: 'all options and a command with options of its own',
    in: 'connect --new --outbound eth0 --allow-user-traffic --route-on-vpn --source update-engine --json -- ls -l --json',
    want: {
      ...CONNECT,
      request: { pid: undefined, outbound: 'eth0', allowUserTraffic: true, routeOnVpn: true, source: 6 },
      json: true,
      run: ['ls', '-l', '--json'],
    },
  },
  { name: 'a command without --', in: 'connect --new true', want: { ...CONNECT, run: ['true'] } },
  {
    name: 'nothing',
    in: '',
    want: refused(
      'no command; write status, devices, events, connect, vm, arc, port, vpn, traffic or doctor; see patchpanelctl --help',
    ),
  },
  {
    name: 'an unknown command',
    in: 'sttus',
    want: refused(
      "'sttus' is no command; write status, devices, events, connect, vm, arc, port, vpn, traffic or doctor; see patchpanelctl --help",
    ),
  },
  {
    name: 'status of something',
    in: 'status x',
    want: refused("status takes no argument 'x'; see patchpanelctl --help"),
  },
  { name: 'devices', in: 'devices --json', want: { do: 'devices', json: true, stateDir: '/run/patchpanel' } },
  {
    name: 'devices of something',
    in: 'devices x',
    want: refused("devices takes no argument 'x'; see patchpanelctl --help"),
  },
  { name: 'a Termina VM', in: 'vm start termina --id 33', want: called('start', 'termina', 33n) },
  {
    name: 'a plugin VM with the greatest id in a subnet',
    in: 'vm start plugin --id 18446744073709551615 --subnet-index 3',
    want: called('start', 'plugin', 18446744073709551615n, 3),
  },
  { name: 'options first', in: 'vm --id 3 stop arcvm', want: called('stop', 'arcvm', 3n) },
  { name: 'a container', in: 'arc start --pid 4242', want: called('start', 'arc', 4242n) },
  { name: 'no container any more', in: 'arc stop', want: called('stop', 'arc', 0n) },
  {
    name: 'doctor',
    in: 'doctor --json',
    want: { do: 'doctor', json: true, stateDir: '/run/patchpanel' },
  },
  {
    name: 'a VM without action',
    in: 'vm',
    want: refused('vm what? write vm start or vm stop; see patchpanelctl vm --help'),
  },
  {
    name: 'an unknown action',
    in: 'arc restart',
    want: refused("arc 'restart'? write arc start or arc stop; see patchpanelctl arc --help"),
  },
  {
    name: 'a VM of no kind',
    in: 'vm start --id 1',
    want: refused('no kind of VM is named; write termina, plugin, arcvm'),
  },
  {
    name: 'an unknown kind of VM',
    in: 'vm start qemu --id 1',
    want: refused("'qemu' is no kind of VM; write termina, plugin, arcvm"),
  },
  { name: 'a VM without id', in: 'vm start termina', want: refused('no VM; write --id N') },
  ...['0', '-1', 'x', '4294967296', '1.5'].map((id) => ({
    name: `VM ${id}`,
    in: `vm stop termina --id ${id}`,
    want: refused(`--id '${id}' names no VM; write a number from 1 to 4294967295`),
  })),
  {
    name: 'too much',
    in: 'vm start termina 33 --id 33',
    want: refused("vm takes no argument '33'; name the VM by --id N"),
  },
  {
    name: 'a subnet index where there is none to choose',
    in: 'vm start termina --id 3 --subnet-index 1',
    want: refused('--subnet-index is for vm start plugin only; leave it out'),
  },
  {
    name: 'a subnet index that is none',
    in: 'vm start plugin --id 3 --subnet-index 0',
    want: refused("--subnet-index '0' is none; write a number from 1, or leave it out for any"),
  },
  {
    name: 'a container without process',
    in: 'arc start',
    want: refused('no container; write --pid N with the pid of its init'),
  },
  {
    name: 'a container by no process',
    in: 'arc stop --pid 0',
    want: refused("--pid '0' is no process id; write a number from 1 to 4194304"),
  },
  { name: 'no namespace', in: 'connect', want: refused('no namespace; write --pid N or --new') },
  {
    name: 'two namespaces',
    in: 'connect --new --pid 5',
    want: refused("--pid '5' and --new exclude each other; write one of them"),
  },
  ...['0', '-1', '4194305', 'x', '1e3', '99999999'].map((pid) => ({
    name: `pid ${pid}`,
    in: `connect --pid ${pid}`,
    want: refused(
      `--pid '${pid}' is no process id; write a number from 1 to 4194304, or --new for a new namespace`,
    ),
  })),
  {
    name: 'an outbound that cannot be an interface',
    in: 'connect --new --outbound a/b',
    want: refused(`--outbound 'a/b' cannot be an interface; write a name as "ip link" shows it`),
  },
  {
    name: 'an unknown source',
    in: 'connect --new --source tor',
    want: refused(`--source 'tor' is unknown; write one of ${SOURCES}`),
  },
  {
    name: 'an unknown option',
    in: 'connect --nwe',
    want: refused("unknown option '--nwe' (Did you mean --new?); see patchpanelctl connect --help"),
  },
  {
    name: 'an option without value',
    in: 'connect --pid',
    want: refused('--pid needs a value: --pid <N>; see patchpanelctl connect --help'),
  },
];

test.each(rows)('$name', ({ in: line, want }) => {
  expect(readCommand(line === '' ? [] : line.split(' '))).toEqual(want);
});

test.each([
  ['--help'],
  ...['connect', 'status', 'devices', 'vm', 'arc', 'traffic', 'doctor'].map((name) => [name, '--help']),
])('%s %s prints and is no mistake', (...argv) => {
  expect(readCommand(argv)).toMatchObject({
    do: 'print',
    text: expect.stringMatching(/^Usage: patchpanelctl /) as string,
  });
});
