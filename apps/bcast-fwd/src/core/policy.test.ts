import type { DropReason } from './drop-reason';
import { isMagicPacket } from './magic-packet';
import { refusal, type Asked, type Policy, type Rule } from './policy';

const OPEN: Policy = { ports: [{ first: 1024, last: 65_535 }], wakeOnLan: false, allow: [], block: [] };
const ASKED: Asked = {
  source: 0xc0a84d14, // 192.168.77.20
  sourcePort: 5000,
  destinationPort: 6969,
  payload: new Uint8Array(0),
};
const NET: Rule = { ifname: null, network: 0xc0a84d00, mask: 0xffffff00, ports: null };
const MAC = [2, 0, 0, 0, 0, 1];
const magic = (more: readonly number[] = []): Uint8Array =>
  Uint8Array.of(...Array<number>(6).fill(0xff), ...Array<number[]>(16).fill(MAC).flat(), ...more);

const rows: readonly {
  name: string;
  policy?: Partial<Policy>;
  asked?: Partial<Asked>;
  want: DropReason | null;
}[] = [
  { name: 'ports of the usual list', want: null },
  { name: 'a low destination', asked: { destinationPort: 137 }, want: 'port' },
  { name: 'a low source', asked: { sourcePort: 53 }, want: 'port' },
  {
    name: 'a low destination that is listed',
    policy: { ports: [{ first: 137, last: 138 }] },
    asked: { sourcePort: 137, destinationPort: 137 },
    want: null,
  },
  {
    name: 'a high source needs no list',
    policy: { ports: [{ first: 9, last: 9 }] },
    asked: { destinationPort: 9 },
    want: null,
  },
  { name: 'not in the list', policy: { ports: [{ first: 9, last: 9 }] }, want: 'port' },
  {
    name: 'DHCP, also listed',
    policy: { ports: [{ first: 1, last: 65_535 }] },
    asked: { destinationPort: 67 },
    want: 'dhcp',
  },
  { name: 'DHCP as source', asked: { sourcePort: 68 }, want: 'dhcp' },
  {
    name: 'DHCP that pretends to wake',
    policy: { wakeOnLan: true },
    asked: { destinationPort: 67, payload: magic() },
    want: 'dhcp',
  },
  {
    name: 'to wake a machine',
    policy: { wakeOnLan: true },
    asked: { destinationPort: 9, payload: magic([1, 2, 3, 4, 5, 6]) },
    want: null,
  },
  { name: 'to wake a machine, switched off', asked: { destinationPort: 9, payload: magic() }, want: 'port' },
  {
    name: 'something else to port 9',
    policy: { wakeOnLan: true },
    asked: { destinationPort: 9, payload: new Uint8Array(102) },
    want: 'port',
  },
  { name: 'blocked', policy: { block: [NET] }, want: 'blocked' },
  { name: 'blocked elsewhere', policy: { block: [{ ...NET, network: 0xc0a84e00 }] }, want: null },
  { name: 'blocked on this interface', policy: { block: [{ ...NET, ifname: 'eth*' }] }, want: 'blocked' },
  { name: 'blocked on another interface', policy: { block: [{ ...NET, ifname: 'eth1' }] }, want: null },
  {
    name: 'blocked to this port',
    policy: { block: [{ ...NET, ports: { first: 6969, last: 6969 } }] },
    want: 'blocked',
  },
  {
    name: 'blocked to another port',
    policy: { block: [{ ...NET, ports: { first: 1, last: 6968 } }] },
    want: null,
  },
  { name: 'allowed', policy: { allow: [NET] }, want: null },
  { name: 'not allowed', policy: { allow: [{ ...NET, network: 0xc0a84e00 }] }, want: 'not-allowed' },
  { name: 'allowed and blocked', policy: { allow: [NET], block: [NET] }, want: 'blocked' },
];

test.each(rows)('$name: $want', ({ policy, asked, want }) => {
  expect(refusal({ ...OPEN, ...policy }, 'eth0', { ...ASKED, ...asked })).toBe(want);
});

test.each([
  { name: 'as it should be', payload: magic(), want: true },
  { name: 'too short', payload: magic().subarray(0, 101), want: false },
  { name: 'wrong beginning', payload: Uint8Array.of(...magic()).fill(0xfe, 5, 6), want: false },
  { name: 'another address at the end', payload: Uint8Array.of(...magic()).fill(9, 101, 102), want: false },
])('magic packet: $name: $want', ({ payload, want }) => {
  expect(isMagicPacket(payload)).toBe(want);
});
