import { readArgs } from '@pp/daemon';
import { SPEC } from './config';

const asked = (line: string): unknown => {
  const invocation = readArgs(SPEC, line === '' ? [] : line.split(' '));
  return invocation.do === 'serve'
    ? invocation.config
    : invocation.do === 'refuse'
      ? invocation.sentence
      : invocation.do;
};

test.each([
  {
    in: '',
    want: { uplinks: [], onExit: 'clean', period: 10_000, setSize: 8192, metrics: null, historyDir: null },
  },
  {
    in: 'eth0 wg0=vpn --on-exit keep --period 60 --set-size 100 --metrics [::1]:9477 --history-dir /srv/traffic',
    want: {
      uplinks: [
        { ifname: 'eth0', vpn: false },
        { ifname: 'wg0', vpn: true },
      ],
      onExit: 'keep',
      period: 60_000,
      setSize: 100,
      metrics: { host: '::1', port: 9477 },
      historyDir: '/srv/traffic',
    },
  },
])("'$in'", ({ in: line, want }) => {
  expect(asked(line)).toMatchObject(want);
});

test.each([
  { in: '--on-exit stay', want: "--on-exit 'stay' is unknown; write clean or keep" },
  { in: '--period 3601', want: "--period '3601' is out of range; write a whole number from 1 to 3600" },
  { in: '--set-size x', want: "--set-size 'x' is out of range; write a whole number from 1 to 1000000" },
  ...[
    '0.0.0.0:9477',
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.0.0.300:80',
    '[::]:80',
    '192.168.1.2:80',
  ].map((text) => ({
    in: `--metrics ${text}`,
    want: `--metrics '${text}' is no loopback address with a port; write for example 127.0.0.1:9477 or [::1]:9477`,
  })),
])('$in is refused', ({ in: line, want }) => {
  expect(asked(line)).toBe(want);
});

test('an empty directory is refused', () => {
  expect(readArgs(SPEC, ['--history-dir', ''])).toMatchObject({
    do: 'refuse',
    sentence: "--history-dir '' is empty; write a directory such as /var/lib/patchpanel",
  });
});
