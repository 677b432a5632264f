import { readArgs } from '@pp/daemon';
import { SPEC, type Config } from './config';

const listenTip = 'write for example --listen 127.0.0.1:5555';
const connectTip = 'write for example --connect unix:/run/arc/adb/adb.sock';
const LISTEN = '--listen 127.0.0.1:5555';

const rows: { name: string; in: string; want: Config | string }[] = [
  { name: 'nothing: the manager is followed', in: '', want: { relay: undefined } },
  {
    name: 'every kind of target, in order',
    in: '--listen [::1]:1 --connect vsock:5:5555 --connect unix:/a:b --connect tcp:192.0.2.1:65535 --connect tcp:[fe80::1]:7',
    want: {
      relay: {
        listen: { address: '::1', port: 1 },
        connect: [
          { via: 'vsock', cid: 5, port: 5555 },
          { via: 'unix', path: '/a:b' },
          { via: 'tcp', address: '192.0.2.1', port: 65_535 },
          { via: 'tcp', address: 'fe80::1', port: 7 },
        ],
      },
    },
  },
  { name: 'connect alone', in: '--connect vsock:5:5555', want: `--connect needs --listen too; ${listenTip}` },
  { name: 'listen alone', in: LISTEN, want: `--listen needs --connect too; ${connectTip}` },
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
  const asked = readArgs(SPEC, line === '' ? [] : line.split(' '));
  expect(asked.do === 'serve' ? asked.config : asked.do === 'refuse' ? asked.sentence : asked).toEqual(want);
});
