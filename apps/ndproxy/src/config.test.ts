import { readArgs } from '@pp/daemon';
import { SPEC, type Config } from './config';

const ALONE: Config = {
  mode: 'route',
  loopPolicy: 'guard',
  switches: { suppress: false, announceMoves: false, raMulticast: false, dropSigned: false },
  strict: false,
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
