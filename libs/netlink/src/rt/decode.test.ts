/** What Linux 6.18 answered to ip(8), seen by strace; of links without statistics and IFLA_AF_SPEC. */
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { hex } from '../testing';
import { decodeAddress, isPermanent } from './address';
import { decodeRouteEvent } from './events';
import { decodeLink } from './link';
import { decodeNeighbor } from './neighbor';
import { decodeNexthop } from './nexthop';
import { decodeRoute } from './route';
import { decodeRule } from './rule';
import * as RT from './types';

interface Row {
  readonly name: string;
  readonly type: number;
  readonly body: string;
  readonly decode: (message: NetlinkMessage) => unknown;
  readonly want: unknown;
}

const VETH = `
  0000 0100 04000000 43100100 00000000      # AF_UNSPEC, Ethernet, #4, up broadcast running multicast lower-up
  07000300 76300000                         # v0
  08000400 78050000                         # mtu 1400
  08001b00 50500000                         # group
  08000500 03000000                         # peer #3
  08000a00 02000000                         # bridge #2
  11001400 70617463 6870616e 656c3a78 00000000
  0a000100 02000000 00010000
  1c001200 09000100 76657468 00000000 0b000400 62726964 67650000`;
const TAP = `
  0000 0100 05000000 02100000 00000000
  07000300 74300000 08000400 dc050000 08001b00 00000000 0a000100 1637ebc5 b17d0000
  40001200 08000100 74756e00 34000200
    05000300 02000000                       # IFLA_TUN_TYPE: IFF_TAP
    08000100 e8030000 05000400 00000000 05000500 00000000 05000600 01000000 05000700 00000000`;
const ADDRESS = `
  021e8000 02000000 08000100 64735c81 08000200 64735c81 08000400 64735c83 08000300 62723000
  08000800 80000000 14000600 ffffffff ffffffff eeb40500 eeb40500`;
const ROUTE = `
  02180000 fc500001 04000000 08000f00 ea030000 08000100 0a090000
  08000600 00000100 08000700 64735c81 08000500 64735c82 08000400 02000000`;
const MULTIPATH = `
  0a000000 fe030001 00000000 08000f00 fe000000 08000600 00040000
  3c000900 1c000000 02000000 14000500 fd000000 00000000 00000000 00000002
           1c000000 02000000 14000500 fd000000 00000000 00000000 00000003
  24000c00 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 05001400 00000000`;
const BY_ID = '02000000 fe030001 00000000 08000f00 fe000000 08001e00 01000000';
const NEXTHOP = '02fd0000 04000000 08000100 01000000 08000500 03000000 08000600 c0a80901';
const GROUP = `
  00000000 00000000 08000100 03000000 06000300 00000000
  14000200 01000000 00000000 02000000 00000000 # the members
  08000e00 00000080`;
const RULE = `
  02001800 fc000001 00000000 08000f00 ea030000 08000e00 ffffffff 05001500 50000000
  07000300 76300000 08000600 f2030000 08001000 00c00000 08000200 0a000000`;
const NEIGHBOR = `
  02000000 02000000 80000001 08000100 64735c82 0a000200 02000000 00090000
  08000400 00000000 14000300 07000000 07000000 07000000 00000000`;

const rows: readonly Row[] = [
  {
    name: 'veth in a bridge',
    type: RT.RTM_NEWLINK,
    body: VETH,
    decode: decodeLink,
    want: {
      ifindex: 4,
      ifname: 'v0',
      kind: 'veth',
      tunMode: null,
      type: 1,
      flags: 0x11043,
      mtu: 1400,
      mac: '02:00:00:00:00:01',
      group: 0x5050,
      alias: 'patchpanel:x',
      master: 2,
      link: 3,
      peerNetnsId: null,
      parentDevice: null,
    },
  },
  {
    name: 'TAP',
    type: RT.RTM_NEWLINK,
    body: TAP,
    decode: decodeLink,
    want: {
      ifindex: 5,
      ifname: 't0',
      kind: 'tun',
      tunMode: 'tap',
      type: 1,
      flags: 0x1002,
      mtu: 1500,
      mac: '16:37:eb:c5:b1:7d',
      group: 0,
      alias: '',
      master: null,
      link: null,
      peerNetnsId: null,
      parentDevice: null,
    },
  },
  {
    name: 'a device behind a link',
    type: RT.RTM_NEWLINK,
    body: '00000100 02000000 43100100 00000000 09000300 65746830 00000000 0c003800 76697274 696f3200',
    decode: (message) => decodeLink(message)?.parentDevice,
    want: 'virtio2',
  },
  {
    name: 'a bridge port left its bridge: no link went',
    type: RT.RTM_DELLINK,
    body: '07000100 04000000 03100100 00000000 07000300 76300000',
    decode: decodeLink,
    want: null,
  },
  {
    name: 'address',
    type: RT.RTM_NEWADDR,
    body: ADDRESS,
    decode: decodeAddress,
    want: { ifindex: 2, cidr: '100.115.92.129/30', broadcast: '100.115.92.131', scope: 0, flags: 0x80 },
  },
  {
    name: 'address with a peer',
    type: RT.RTM_NEWADDR,
    body: `
      02208000 02000000 0800 0100 0a000002      # IFA_ADDRESS 10.0.0.2
      0800 0200 0a000001                        # IFA_LOCAL 10.0.0.1`,
    decode: decodeAddress,
    want: { ifindex: 2, cidr: '10.0.0.1/32', peer: '10.0.0.2/32', scope: 0, flags: 0x80 },
  },
  {
    name: 'route, all there is to say',
    type: RT.RTM_NEWROUTE,
    body: ROUTE,
    decode: decodeRoute,
    want: {
      family: 'ipv4',
      kind: 'unicast',
      dst: '10.9.0.0/24',
      src: '100.115.92.129',
      table: 1002,
      metric: 65536,
      protocol: 80,
      hops: [{ via: '100.115.92.130', ifindex: 2, onlink: true }],
    },
  },
  {
    name: 'throw',
    type: RT.RTM_NEWROUTE,
    body: '02100000 fc500009 00000000 08000f00 ea030000 08000100 0a080000',
    decode: decodeRoute,
    want: {
      family: 'ipv4',
      kind: 'throw',
      dst: '10.8.0.0/16',
      src: null,
      table: 1002,
      metric: 0,
      protocol: 80,
      hops: [],
    },
  },
  {
    name: 'two next hops',
    type: RT.RTM_NEWROUTE,
    body: MULTIPATH,
    decode: decodeRoute,
    want: {
      family: 'ipv6',
      kind: 'unicast',
      dst: '::/0',
      src: null,
      table: 254,
      metric: 1024,
      protocol: 3,
      hops: [
        { via: 'fd00::2', ifindex: 2, onlink: false },
        { via: 'fd00::3', ifindex: 2, onlink: false },
      ],
    },
  },
  {
    name: 'an IPv4 route by an IPv6 gateway',
    type: RT.RTM_DELROUTE,
    body: `02180000 fe030001 00000000 08000f00 fe000000 08000100 0a070000
           16001200 0a00fe80 00000000 00000000 00000000 00010000 08000400 02000000`,
    decode: (message) => decodeRoute(message)?.hops,
    want: [{ via: 'fe80::1', ifindex: 2, onlink: false }],
  },
  {
    name: 'a cached clone of a route',
    type: RT.RTM_NEWROUTE,
    body: '02200000 fe000001 00020000',
    decode: decodeRoute,
    want: null,
  },
  {
    name: 'a route of no Internet family',
    type: RT.RTM_NEWROUTE,
    body: '1c140000 fe030001 00000000',
    decode: decodeRoute,
    want: null,
  },
  {
    name: 'a route that tells the id of a nexthop object alone',
    type: RT.RTM_NEWROUTE,
    body: BY_ID,
    decode: decodeRoute,
    want: {
      family: 'ipv4',
      kind: 'unicast',
      dst: '0.0.0.0/0',
      src: null,
      table: 254,
      metric: 0,
      protocol: 3,
      hops: [],
      nexthopId: 1,
    },
  },
  {
    name: 'nexthop object',
    type: RT.RTM_NEWNEXTHOP,
    body: NEXTHOP,
    decode: decodeNexthop,
    want: { id: 1, hop: { via: '192.168.9.1', ifindex: 3, onlink: true }, group: [] },
  },
  {
    name: 'nexthop object on the link, of IPv6',
    type: RT.RTM_NEWNEXTHOP,
    body: '0afd0000 00000000 08000100 07000000 08000500 03000000',
    decode: decodeNexthop,
    want: { id: 7, hop: { via: null, ifindex: 3, onlink: false }, group: [] },
  },
  {
    name: 'nexthop object where packets end',
    type: RT.RTM_NEWNEXTHOP,
    body: '02000000 00000000 08000100 06000000 04000400',
    decode: decodeNexthop,
    want: { id: 6, hop: null, group: [] },
  },
  {
    name: 'a group of nexthop objects goes',
    type: RT.RTM_DELNEXTHOP,
    body: GROUP,
    decode: decodeRouteEvent,
    want: { on: 'nexthop', change: 'del', nexthop: { id: 3, hop: null, group: [1, 2] } },
  },
  {
    name: 'rule with a mark of zero',
    type: RT.RTM_NEWRULE,
    body: RULE,
    decode: decodeRule,
    want: {
      family: 'ipv4',
      priority: 1010,
      fwmark: { value: 0, mask: 0xc000 },
      iif: 'v0',
      oif: null,
      from: '10.0.0.0/24',
      to: null,
      table: 1002,
      suppressPrefixLength: null,
      protocol: 80,
    },
  },
  {
    name: 'rule that is no lookup',
    type: RT.RTM_NEWRULE,
    body: '02000000 00000007 00000000 08000600 f2030000',
    decode: decodeRule,
    want: null,
  },
  {
    name: 'neighbour',
    type: RT.RTM_NEWNEIGH,
    body: NEIGHBOR,
    decode: decodeNeighbor,
    want: { ifindex: 2, address: '100.115.92.130', mac: '02:00:00:00:00:09', state: 'permanent' },
  },
  { name: 'a message of another type', type: 99, body: VETH, decode: decodeRouteEvent, want: null },
  {
    name: 'an event says what came and what went',
    type: RT.RTM_DELADDR,
    body: ADDRESS,
    decode: decodeRouteEvent,
    want: {
      on: 'address',
      change: 'del',
      address: { ifindex: 2, cidr: '100.115.92.129/30', broadcast: '100.115.92.131', scope: 0, flags: 0x80 },
    },
  },
];

test.each(rows)('$name', ({ type, body, decode, want }) => {
  expect(decode({ type, flags: 0, seq: 0, body: hex(body) })).toEqual(want);
});

test.each([
  { name: 'one that somebody set', flags: 0x80, want: true },
  { name: 'one that was set for a time', flags: 0x00, want: false },
  { name: 'one that a router advertised, and its temporary one', flags: 0x101, want: false },
])('an address is permanent or not: $name', ({ flags, want }) => {
  expect(isPermanent({ ifindex: 2, cidr: '2001:db8::1/64', scope: 0, flags })).toBe(want);
});

const captured = [
  { name: 'link', type: RT.RTM_NEWLINK, body: VETH },
  { name: 'TAP', type: RT.RTM_NEWLINK, body: TAP },
  { name: 'address', type: RT.RTM_NEWADDR, body: ADDRESS },
  { name: 'route', type: RT.RTM_NEWROUTE, body: ROUTE },
  { name: 'multipath route', type: RT.RTM_NEWROUTE, body: MULTIPATH },
  { name: 'rule', type: RT.RTM_NEWRULE, body: RULE },
  { name: 'neighbour', type: RT.RTM_NEWNEIGH, body: NEIGHBOR },
  { name: 'nexthop', type: RT.RTM_NEWNEXTHOP, body: NEXTHOP },
];

test.each(captured)('a cut $name is refused, or decoded from whole attributes', ({ type, body }) => {
  const bytes = hex(body);
  for (let length = 0; length < bytes.length; length += 1) {
    try {
      decodeRouteEvent({ type, flags: 0, seq: 0, body: bytes.subarray(0, length) });
      expect(wholeAttributes(bytes, type)).toContain(length);
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedError);
    }
  }
});

/** Lengths at which an attribute ends, its padding there or not. */
function wholeAttributes(bytes: Uint8Array, type: number): readonly number[] {
  const header =
    type === RT.RTM_NEWLINK ? 16 : type === RT.RTM_NEWADDR || type === RT.RTM_NEWNEXTHOP ? 8 : 12;
  const lengths = [header];
  for (let at = header; at < bytes.length; at = (at + 3) & ~3) {
    at += (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
    lengths.push(...[at, at + 1, at + 2, at + 3].filter((length) => length <= ((at + 3) & ~3)));
  }
  return lengths;
}

test.each([
  { name: 'a link without a name', type: RT.RTM_NEWLINK, body: '00000100 04000000 43100100 00000000' },
  { name: 'an address without an address', type: RT.RTM_NEWADDR, body: '021e8000 02000000' },
  {
    name: 'an address of five bytes',
    type: RT.RTM_NEWADDR,
    body: '021e8000 02000000 09000200 64735c81 00000000',
  },
  {
    name: 'a next hop of no length',
    type: RT.RTM_NEWROUTE,
    body: '02180000 fe030001 00000000 0c000900 00000000 02000000',
  },
  { name: 'a nexthop object without an id', type: RT.RTM_NEWNEXTHOP, body: '02000000 00000000' },
  {
    name: 'half a member of a group',
    type: RT.RTM_NEWNEXTHOP,
    body: '00000000 00000000 08000100 03000000 08000200 01000000',
  },
  {
    name: 'a next hop beyond the end',
    type: RT.RTM_NEWROUTE,
    body: '02180000 fe030001 00000000 0c000900 0c000000 02000000',
  },
])('refused: $name', ({ type, body }) => {
  expect(() => decodeRouteEvent({ type, flags: 0, seq: 0, body: hex(body) })).toThrow(MalformedError);
});
