import type { DeadConnections } from '@pp/ports';
import { uplink } from '../testing/worlds';
import { deadConnections } from './dead-connections';
import type { Uplink } from './uplink';

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

test.each(rows)('what dies when an uplink changes: $name', ({ to, want }) => {
  expect(deadConnections([eth0], to)).toEqual({ pinned: [], addressed: [], ...want });
});
