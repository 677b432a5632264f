import { seconds } from '@pp/base';
import { readArgs } from '@pp/daemon';
import { SPEC } from './config';

const listenTip = 'write for example --listen 127.0.0.1:5555';
const connectTip = 'write for example --connect unix:/run/arc/adb/adb.sock or --connect vsock:5:5555';
const LISTEN = '--listen 127.0.0.1:5555';
const BOTH = `${LISTEN} --connect unix:/a`;

/** What the command line asks for, `from` as it was written. */
function read(line: string): object | string {
  const asked = readArgs(SPEC, line === '' ? [] : line.split(' '));
  if (asked.do === 'refuse') return asked.sentence;
  if (asked.do !== 'serve') throw new Error(asked.do);
  return { ...asked.config, from: asked.config.from.texts };
}

const DEFAULTS = {
  listen: [],
  connect: [],
  from: [],
  autoOff: null,
  allow: 'sideload',
  limits: { total: 256, perSource: 64 },
};

const rows: readonly { readonly name: string; readonly in: string; readonly want: object | string }[] = [
  { name: 'nothing: the manager is followed', in: '', want: DEFAULTS },
  {
    name: 'every kind of target, in order',
    in: '--listen [::1]:1 --connect vsock:5:5555 --connect unix:/a:b --connect tcp:192.0.2.1:65535 --connect tcp:[fe80::1]:7',
    want: {
      ...DEFAULTS,
      listen: [{ address: '::1', port: 1 }],
      connect: [
        { via: 'vsock', cid: 5, port: 5555 },
        { via: 'unix', path: '/a:b' },
        { via: 'tcp', address: '192.0.2.1', port: 65_535 },
        { via: 'tcp', address: 'fe80::1', port: 7 },
      ],
    },
  },
  {
    name: 'the LAN, for an hour, to the manager’s Android',
    in: '--listen 192.168.1.5:5555 --from 192.168.1.0/24 --from 2001:db8::7 --auto-off 3600 --allow always --max-connections 9 --max-per-source 3',
    want: {
      ...DEFAULTS,
      listen: [{ address: '192.168.1.5', port: 5555 }],
      from: ['192.168.1.0/24', '2001:db8::7'],
      autoOff: seconds(3600),
      allow: 'always',
      limits: { total: 9, perSource: 3 },
    },
  },
  {
    name: 'the LAN without a source',
    in: '--listen 127.0.0.1:1 --listen 0.0.0.0:5555 --connect unix:/a',
    want: `--listen '0.0.0.0:5555' can be reached from outside; say by whom, for example --from 192.168.1.0/24`,
  },
  {
    name: 'a source for loopback',
    in: `${BOTH} --from 192.168.1.0/24`,
    want: `--from '192.168.1.0/24' is about an address that can be reached from outside; write one with --listen`,
  },
  ...[
    '10.0.0.0/33',
    'lan',
    '::1/129',
    '10.0.0.1/',
    '/8',
    '10.0.0.1/x',
    'fe80::1%eth0',
    '::ffff:192.168.1.0/120',
  ].map((source) => ({
    name: `the source ${source}`,
    in: `--listen 10.0.0.1:1 --from ${source}`,
    want: `--from '${source}' is no address and no subnet; write for example --from 192.168.1.0/24`,
  })),
  {
    name: 'a source with bits beyond its length, where one address may have been meant',
    in: '--listen 10.0.0.1:1 --from 192.168.1.77/24',
    want: "--from '192.168.1.77/24' has bits set beyond its length; write --from 192.168.1.0/24",
  },
  {
    name: 'auto-off of nothing',
    in: '--auto-off 5',
    want: `--auto-off is about what --listen opens; ${listenTip}`,
  },
  ...['0', '-1', '1h', '86401'].map((time) => ({
    name: `auto-off after ${time}`,
    in: `${BOTH} --auto-off ${time}`,
    want: `--auto-off '${time}' is out of range; write a whole number from 1 to 86400`,
  })),
  {
    name: 'no connection at all',
    in: `${BOTH} --max-connections 0`,
    want: `--max-connections '0' is out of range; write a whole number from 1 to 100000`,
  },
  {
    name: 'allow what is named',
    in: `${BOTH} --allow always`,
    want: '--allow is about the manager’s Android, and --connect names another target; leave one of them out',
  },
  {
    name: 'allow sometimes',
    in: '--allow sometimes',
    want: `--allow 'sometimes' is unknown; write sideload or always or never`,
  },
  {
    name: 'the same place twice',
    in: `${BOTH} ${LISTEN}`,
    want: `--listen '127.0.0.1:5555' is there twice; write each once`,
  },
  {
    name: 'a zone',
    in: '--listen [fe80::1%eth0]:1',
    want: `--listen '[fe80::1%eth0]:1' has a zone; an address without %ZONE is needed; ${listenTip}`,
  },
  { name: 'connect alone', in: '--connect vsock:5:5555', want: `--connect needs --listen too; ${listenTip}` },
  {
    name: 'listen alone: there, for the manager’s Android',
    in: LISTEN,
    want: { ...DEFAULTS, listen: [{ address: '127.0.0.1', port: 5555 }] },
  },
  {
    name: 'no port',
    in: '--listen 127.0.0.1 --connect unix:/a',
    want: `--listen '127.0.0.1' is not ADDR:PORT; ${listenTip}`,
  },
  {
    name: 'port 0',
    in: '--listen 127.0.0.1:0 --connect unix:/a',
    want: `--listen '127.0.0.1:0' has no port from 1 to 65535; ${listenTip}`,
  },
  {
    name: 'port above',
    in: '--listen 127.0.0.1:65536 --connect unix:/a',
    want: `--listen '127.0.0.1:65536' has no port from 1 to 65535; ${listenTip}`,
  },
  {
    name: 'a host name',
    in: '--listen localhost:5555 --connect unix:/a',
    want: `--listen 'localhost:5555' has no IP address (IPv6 goes in brackets); ${listenTip}`,
  },
  {
    name: 'IPv6 without brackets',
    in: '--listen ::1:5555 --connect unix:/a',
    want: `--listen '::1:5555' is not ADDR:PORT; ${listenTip}`,
  },
  {
    name: 'IPv4 in brackets',
    in: '--listen [127.0.0.1]:5555 --connect unix:/a',
    want: `--listen '[127.0.0.1]:5555' has no IP address (IPv6 goes in brackets); ${listenTip}`,
  },
  {
    name: 'a relative path',
    in: `${LISTEN} --connect unix:adb.sock`,
    want: `--connect 'unix:adb.sock' has no path from the root; ${connectTip}`,
  },
  {
    name: 'a path too long',
    in: `${LISTEN} --connect unix:/${'x'.repeat(107)}`,
    want: `--connect 'unix:/${'x'.repeat(107)}' is longer than 107 bytes; ${connectTip}`,
  },
  {
    name: 'vsock without port',
    in: `${LISTEN} --connect vsock:5`,
    want: `--connect 'vsock:5' is not vsock:CID:PORT; ${connectTip}`,
  },
  {
    name: 'vsock to any',
    in: `${LISTEN} --connect vsock:4294967295:1`,
    want: `--connect 'vsock:4294967295:1' is not vsock:CID:PORT; ${connectTip}`,
  },
  {
    name: 'an unknown kind',
    in: `${LISTEN} --connect udp:1.2.3.4:5`,
    want: `--connect 'udp:1.2.3.4:5' is not unix:PATH, vsock:CID:PORT or tcp:ADDR:PORT; ${connectTip}`,
  },
];

test.each(rows)('$name', ({ in: line, want }) => {
  expect(read(line)).toEqual(want);
});

test.each([
  {
    from: '192.168.1.0/24',
    yes: '192.168.1.0 192.168.1.255',
    no: '192.168.0.255 192.168.2.0 ::ffff:192.168.2.7',
  },
  { from: '192.168.1.7', yes: '192.168.1.7', no: '192.168.1.6 192.168.1.8 ::' },
  { from: '10.0.0.0/9', yes: '10.0.0.0 10.127.255.255', no: '10.128.0.0 9.255.255.255' },
  { from: '0.0.0.0/0', yes: '0.0.0.0 255.255.255.255', no: ':: fd00::1' },
  { from: '::/0', yes: ':: fd00::1 ffff::', no: '0.0.0.0 192.168.1.7' },
  { from: '2001:db8::/33', yes: '2001:db8:7fff::1', no: '2001:db8:8000:: 2001:db7:ffff::' },
  { from: '2001:db8::7', yes: '2001:db8::7 2001:DB8:0:0::7', no: '2001:db8::8' },
  { from: 'fe80::/10', yes: 'fe80::1 febf::', no: 'fec0:: fe7f::1 169.254.0.1' },
])('--from $from lets in $yes, and not $no', ({ from, yes, no }) => {
  const asked = readArgs(SPEC, ['--listen', '10.0.0.1:1', '--from', from]);
  const isAllowed = (source: string): boolean => asked.do === 'serve' && asked.config.from.allows(source);
  expect(yes.split(' ').filter((source) => !isAllowed(source))).toEqual([]);
  expect(no.split(' ').filter(isAllowed)).toEqual([]);
});

test('each of several sources may connect', () => {
  const asked = readArgs(SPEC, '--listen 10.0.0.1:1 --from 192.168.1.0/24 --from 2001:db8::7'.split(' '));
  const isAllowed = (source: string): boolean => asked.do === 'serve' && asked.config.from.allows(source);
  expect(['192.168.1.7', '2001:db8::7', '10.0.0.1'].map(isAllowed)).toEqual([true, true, false]);
});
