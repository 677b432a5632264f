import { readArgs } from '@pp/daemon';
import { SPEC, type Config } from './config';

const PLAIN: Config = {
  pairs: undefined,
  direction: 'two-way',
  toLan: 'auto',
  toGuests: 'preserve',
  policy: { ports: [{ first: 1024, last: 65_535 }], wakeOnLan: false, allow: [], block: [] },
  rate: 500,
  mark: null,
  targets: new Map(),
};
const policy = (over: Partial<Config['policy']>): Config => ({
  ...PLAIN,
  policy: { ...PLAIN.policy, ...over },
});
const NET = { network: 0xc0a84d00, mask: 0xffffff00 };

const rows: { name: string; in: string; want: Config | string }[] = [
  { name: 'nothing: the manager is followed', in: '', want: PLAIN },
  {
    name: 'a LAN and guests',
    in: 'eth0 tap0 vmtap*',
    want: {
      ...PLAIN,
      pairs: [
        { lan: 'eth0', guest: 'tap0' },
        { lan: 'eth0', guest: 'vmtap*' },
      ],
    },
  },
  {
    name: 'no guest',
    in: 'eth0',
    want: "'eth0' stands alone; write at least two interfaces: bcast-fwd eth0 vmtap0",
  },
  {
    name: 'ports',
    in: '--ports 27036,137-138 --wake-on-lan',
    want: policy({
      ports: [
        { first: 27_036, last: 27_036 },
        { first: 137, last: 138 },
      ],
      wakeOnLan: true,
    }),
  },
  { name: 'all ports', in: '--ports 1-65535', want: policy({ ports: [{ first: 1, last: 65_535 }] }) },
  { name: 'no ports', in: '--ports 0', want: "--ports '0' is no port; write for example 1024-65535,7,9" },
  {
    name: 'ports backwards',
    in: '--ports 9-7',
    want: "--ports '9-7' is no port; write for example 1024-65535,7,9",
  },
  {
    name: 'a port too high',
    in: '--ports 7,65536',
    want: "--ports '65536' is no port; write for example 1024-65535,7,9",
  },
  { name: 'DHCP', in: '--ports 9,67', want: "--ports '67' is DHCP, which is never relayed; leave it out" },
  {
    name: 'ways',
    in: '--direction inbound --to-lan preserve --to-guests session',
    want: { ...PLAIN, direction: 'inbound', toLan: 'preserve', toGuests: 'session' },
  },
  {
    name: 'an unknown way',
    in: '--direction up',
    want: "--direction 'up' is unknown; write two-way or inbound or outbound",
  },
  {
    name: 'an unknown sender',
    in: '--to-lan me',
    want: "--to-lan 'me' is unknown; write preserve or egress or session or auto",
  },
  { name: 'no limit', in: '--rate 0', want: { ...PLAIN, rate: 0 } },
  {
    name: 'no rate',
    in: '--rate fast',
    want: "--rate 'fast' is out of range; write a whole number from 0 to 1000000",
  },
  { name: 'a mark', in: '--mark ttl:7', want: { ...PLAIN, mark: { field: 'ttl', id: 7 } } },
  {
    name: 'mark 0',
    in: '--mark dscp:0',
    want: "--mark 'dscp:0' is no mark; write dscp:ID or ttl:ID with an ID of 1 to 63",
  },
  {
    name: 'an unknown mark',
    in: '--mark vlan:1',
    want: "--mark 'vlan:1' is no mark; write dscp:ID or ttl:ID with an ID of 1 to 63",
  },
  {
    name: 'targets',
    in: '--target wg0=10.9.0.2 --target wg0=10.9.0.3',
    want: { ...PLAIN, targets: new Map([['wg0', [0x0a090002, 0x0a090003]]]) },
  },
  {
    name: 'no target',
    in: '--target 10.9.0.2',
    want: "--target '10.9.0.2' is not IF=ADDR; write for example --target wg0=10.9.0.2",
  },
  {
    name: 'rules',
    in: '--allow 192.168.77.0/24 --block eth*:192.168.77.5:27000-27100 --block eth0:0.0.0.0/0',
    want: policy({
      allow: [{ ...NET, ifname: null, ports: null }],
      block: [
        { ifname: 'eth*', network: 0xc0a84d05, mask: 0xffffffff, ports: { first: 27_000, last: 27_100 } },
        { ifname: 'eth0', network: 0, mask: 0, ports: null },
      ],
    }),
  },
  {
    name: 'a rule with bits beyond its length',
    in: '--allow eth0:192.168.77.5/24:27036',
    want: "--allow 'eth0:192.168.77.5/24:27036' has bits set beyond its length; write --allow eth0:192.168.77.0/24:27036",
  },
  ...[
    'eth0',
    'eth0:192.168.77.0/24:x',
    'a:b:192.168.77.0/24',
    '192.168.77.0/24:1:2',
    '2001:db8::/32',
    '',
  ].map((text) => ({
    name: `the rule '${text}'`,
    in: `--block=${text}`,
    want: `--block '${text}' is not [IF:]CIDR[:PORTS]; write for example --block eth0:192.168.1.0/24:27036`,
  })),
];

test.each(rows)('$name', ({ in: line, want }) => {
  const asked = readArgs(SPEC, line === '' ? [] : line.split(' '));
  expect(asked.do === 'serve' ? asked.config : asked.do === 'refuse' ? asked.sentence : asked).toEqual(want);
});
