import type { DeadConnections } from '@pp/ports';
import { namespace, uplink, vm, worldOf } from '../testing/worlds';
import { deadConnections } from './dead-connections';
import type { Guest } from './guest';
import type { Uplink } from './uplink';
import type { DnsRule } from './dns-rules';
import {
  withDnsRule,
  withoutDnsRules,
  withoutGuests,
  withoutPortRule,
  withPortRule,
  type World,
} from './world';

const eth0: Uplink = { ...uplink('eth0', 'ethernet', 100), addresses: ['192.0.2.10/24', 'fe80::1/64'] };
const wlan0: Uplink = { ...uplink('wlan0', 'wifi', 600), ifindex: 3 };

interface Row {
  readonly name: string;
  readonly to: readonly Uplink[];
  readonly want: Partial<DeadConnections>;
}

const rows: readonly Row[] = [
  { name: 'another one comes', to: [wlan0, eth0], want: {} },
  { name: 'it goes', to: [], want: { pinned: [{ ifindex: 2, family: null }] } },
  {
    name: 'it comes back under another number',
    to: [{ ...eth0, ifindex: 9 }],
    want: { pinned: [{ ifindex: 2, family: null }] },
  },
  {
    name: 'it loses its default route',
    to: [{ ...eth0, defaults: [] }],
    want: { pinned: [{ ifindex: 2, family: 'ipv4' }] },
  },
  {
    name: 'its default route gets another metric',
    to: [{ ...eth0, defaults: [{ family: 'ipv4', gateway: '192.0.2.1', metric: 7 }] }],
    want: {},
  },
  {
    name: 'it is renumbered',
    to: [{ ...eth0, addresses: ['192.0.2.11/24', 'fe80::1/64'] }],
    want: { addressed: [{ ifindex: 2, address: '192.0.2.10' }] },
  },
  {
    name: 'its prefix is of another length',
    to: [{ ...eth0, addresses: ['192.0.2.10/25', 'fe80::1/64'] }],
    want: {},
  },
];

const NONE: DeadConnections = { pinned: [], addressed: [], guests: [], udp: [], lookups: [] };

test.each(rows)('what dies when an uplink changes: $name', ({ to, want }) => {
  expect(deadConnections(worldOf([eth0], []), worldOf(to, []))).toEqual({ ...NONE, ...want });
});

const GUESTS: readonly (readonly [key: string, guest: Guest, addresses: readonly string[]])[] = [
  ['namespace/0', namespace(0, { kind: 'default' }), ['100.115.92.130']],
  [
    'termina/5',
    { ...vm('termina', 'vmtap0'), containers: { index: 1, subnet: '100.115.92.192/30' } },
    ['100.115.92.26', '100.115.92.193', '100.115.92.194'],
  ],
];

test.each(GUESTS)('what dies when %s goes, and that nothing does when it comes', (key, guest, addresses) => {
  const there = worldOf([eth0], [guest]);
  const gone = withoutGuests(there, [key]);
  expect(deadConnections(there, gone)).toEqual({ ...NONE, guests: addresses });
  expect(deadConnections(gone, there)).toEqual(NONE);
});

const FORWARDING = {
  type: 'forwarding',
  protocol: 'udp',
  ifname: 'eth0',
  address: null,
  port: 80,
  to: { address: '100.115.92.26', port: 8080 },
} as const;
const EVERYWHERE = [{ address: '192.0.2.10', port: 80 }];

const ruleRows: readonly (readonly [name: string, change: object, want: DeadConnections['udp']])[] = [
  ['of all addresses', {}, EVERYWHERE],
  [
    'of IPv6, whose addresses the kernel does not tell apart,',
    { to: { address: 'fd00::2', port: 8080 } },
    [],
  ],
  ['of one address', { address: '192.0.2.99' }, [{ address: '192.0.2.99', port: 80 }]],
  ['of an interface that is no uplink', { ifname: 'vmtap0' }, []],
  ['of TCP, whose connections have an end', { protocol: 'tcp' }, []],
  ['that opens or locks', { type: 'access' }, []],
];

test.each(ruleRows)(
  'UDP that a forwarding %s leads elsewhere when it comes and goes',
  (_name, change, udp) => {
    const without = worldOf([eth0], []);
    const owned = { rule: { ...FORWARDING, ...change }, owner: 0 };
    const ruled: World = withPortRule(without, owned);
    expect(deadConnections(without, ruled)).toEqual({ ...NONE, udp });
    expect(deadConnections(ruled, withoutPortRule(ruled, owned))).toEqual({ ...NONE, udp });
  },
);

test.each([
  ['of its link', { ifname: 'vmtap0' }, ['100.115.92.26']],
  ['of another link', { ifname: 'vmtap1' }, []],
  ['of IPv6', { ifname: 'vmtap0', family: 'ipv6' }, []],
] as const)("a guest's lookups %s, when a redirection comes and goes", (_name, change, lookups) => {
  const without = worldOf([eth0], [vm('termina', 'vmtap0')]);
  const rule: DnsRule = { type: 'default', family: 'ipv4', proxy: '192.0.2.53', owner: 0, ...change };
  const ruled = withDnsRule(without, 7, rule);
  expect(deadConnections(without, ruled)).toEqual({ ...NONE, lookups });
  expect(deadConnections(ruled, withoutDnsRules(ruled, ['dns:7']))).toEqual({ ...NONE, lookups });
});
