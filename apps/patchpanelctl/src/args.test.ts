import { readCommand, type Asked } from './args';

const REQUEST = { pid: undefined, outbound: '', allowUserTraffic: false, routeOnVpn: false, source: 0 };
const CONNECT = {
  do: 'connect',
  request: REQUEST,
  json: false,
  stateDir: '/run/patchpanel',
  run: [],
} as const;
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
  { name: 'nothing', in: '', want: refused('no command; write status or connect; see patchpanelctl --help') },
  {
    name: 'an unknown command',
    in: 'sttus',
    want: refused("'sttus' is no command; write status or connect; see patchpanelctl --help"),
  },
  {
    name: 'status of something',
    in: 'status x',
    want: refused("status takes no argument 'x'; see patchpanelctl --help"),
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
    want: refused("unknown option '--nwe' (Did you mean --new?); see patchpanelctl --help"),
  },
  {
    name: 'an option without value',
    in: 'connect --pid',
    want: refused('--pid needs a value: --pid <N>; see patchpanelctl --help'),
  },
];

test.each(rows)('$name', ({ in: line, want }) => {
  expect(readCommand(line === '' ? [] : line.split(' '))).toEqual(want);
});

test.each([['--help'], ['connect', '--help'], ['status', '--help']])(
  '%s %s prints and is no mistake',
  (...argv) => {
    expect(readCommand(argv)).toMatchObject({
      do: 'print',
      text: expect.stringMatching(/^Usage: patchpanelctl /) as string,
    });
  },
);
