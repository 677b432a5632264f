import { readArgs } from '@pp/daemon';
import { macNumber } from './core/keys';
import { NO_POLICY } from './core/policy';
import { SPEC, type Config } from './config';

const ALONE: Config = {
  mode: 'route',
  loopPolicy: 'guard',
  switches: { suppress: false, announceMoves: false, raMulticast: false, dropSigned: false },
  strict: false,
  policy: NO_POLICY,
  groups: [],
  portier: false,
};
const LAN = { name: 'lan', upstream: 'eth0', downstreams: ['tap0'] };

const rows: { name: string; in: string; want: Config | string }[] = [
  { name: 'nothing: the manager is followed', in: '', want: ALONE },
  {
    name: 'interfaces without a group',
    in: 'eth0 tap0 tap1',
    want: { ...ALONE, groups: [{ name: 'main', upstream: 'eth0', downstreams: ['tap0', 'tap1'] }] },
  },
  {
    name: 'groups, mode and policy',
    in: '--mode bridge --loop-policy nested --group lan:eth0,tap0 --group b-2:eth1,tap1,tap2',
    want: {
      ...ALONE,
      mode: 'bridge',
      loopPolicy: 'nested',
      groups: [LAN, { name: 'b-2', upstream: 'eth1', downstreams: ['tap1', 'tap2'] }],
    },
  },
  {
    name: 'a pattern of downstreams',
    in: 'eth0 vmtap* veth1',
    want: { ...ALONE, groups: [{ name: 'main', upstream: 'eth0', downstreams: ['vmtap*', 'veth1'] }] },
  },
  {
    name: 'no pattern for the upstream',
    in: 'eth* vmtap0',
    want: '\'eth*\' cannot be an interface; write a name as "ip link" shows it',
  },
  {
    name: 'all switches',
    in: '--strict --suppress --announce-moves --ra-multicast --drop-signed',
    want: {
      ...ALONE,
      strict: true,
      switches: { suppress: true, announceMoves: true, raMulticast: true, dropSigned: true },
    },
  },
  {
    name: 'prefixes, stations that claim all, and what advertisements pass without',
    in: '--only-prefix 2001:db8::/32 --not-prefix 2001:db8:1::/48 --not-prefix fd00::/8 --dad-ignore 02:00:00:00:00:AB --ra-without managed,dnssl',
    want: {
      ...ALONE,
      policy: {
        onlyPrefixes: [{ prefix: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Uint8Array(12)), length: 32 }],
        notPrefixes: [
          { prefix: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 1, ...new Uint8Array(10)), length: 48 },
          { prefix: Uint8Array.of(0xfd, ...new Uint8Array(15)), length: 8 },
        ],
        dadIgnore: new Set([macNumber(Uint8Array.of(2, 0, 0, 0, 0, 0xab))]),
        raWithout: new Set(['managed', 'dnssl']),
      },
    },
  },
  {
    name: 'a prefix of IPv4',
    in: '--only-prefix 192.0.2.0/24',
    want: "--only-prefix '192.0.2.0/24' is no IPv6 prefix; write for example --only-prefix 2001:db8::/32",
  },
  {
    name: 'an address without length',
    in: '--not-prefix 2001:db8::',
    want: "--not-prefix '2001:db8::' is no IPv6 prefix; write for example --not-prefix 2001:db8::/32",
  },
  ...['only-prefix', 'not-prefix'].map((option) => ({
    name: `--${option} with bits beyond its length`,
    in: `--${option} 2001:db8::1/64`,
    want: `--${option} '2001:db8::1/64' has bits set beyond its length; write --${option} 2001:db8::/64`,
  })),
  {
    name: 'half an Ethernet address',
    in: '--dad-ignore 02:00:00',
    want: "--dad-ignore '02:00:00' is no Ethernet address; write for example --dad-ignore 02:00:00:00:00:01",
  },
  {
    name: 'what an advertisement does not have',
    in: '--ra-without managed,dns',
    want: "--ra-without 'dns' is unknown; write managed, other, rdnss, dnssl, with commas between",
  },
  { name: 'the API of Portier', in: '--portier', want: { ...ALONE, portier: true } },
  { name: 'an unknown mode', in: '--mode hub', want: "--mode 'hub' is unknown; write route or bridge" },
  {
    name: 'an unknown policy',
    in: '--loop-policy x',
    want: "--loop-policy 'x' is unknown; write guard or rfc or nested",
  },
  {
    name: 'an upstream alone',
    in: 'eth0',
    want: "'eth0' stands alone; write at least two interfaces: ndproxy eth0 vmtap0",
  },
  {
    name: 'a group without name',
    in: '--group eth0,tap0',
    want: "--group 'eth0,tap0' is not NAME:UP,DOWN; write for example --group lan:eth0,vmtap0",
  },
  {
    name: 'a group without downstream',
    in: '--group lan:eth0',
    want: "'eth0' stands alone; write at least two interfaces: --group lan:eth0,vmtap0",
  },
  {
    name: 'an empty group',
    in: '--group lan:',
    want: '\'\' cannot be an interface; write a name as "ip link" shows it',
  },
  {
    name: 'a name twice',
    in: '--group lan:eth0,tap0 --group lan:eth1,tap1',
    want: "group 'lan' is there twice; give each group a name of its own",
  },
  {
    name: 'an interface in two groups',
    in: 'eth1 tap0 --group lan:eth0,tap0',
    want: "interface 'tap0' is in two groups; name it in one",
  },
];

test.each(rows)('$name', ({ in: line, want }) => {
  const asked = readArgs(SPEC, line === '' ? [] : line.split(' '));
  expect(asked.do === 'serve' ? asked.config : asked.do === 'refuse' ? asked.sentence : asked).toEqual(want);
});

test('--help has the exit code of a host without IPv6', () => {
  const asked = readArgs(SPEC, ['--help']);
  const help = asked.do === 'print' ? asked.text.split('\n') : [];
  expect(help).toContain(
    'Exit codes: 0 done, 1 failed, 2 usage, 5 denied, 6 not running, 8 no IPv6 on this host.',
  );
});
