/** What ip(8) of iproute2 6.1 sends for the same wish, seen by strace; the order of attributes is free. */
import { align4, readU16host } from '../codec/numbers';
import type { NetlinkRequest } from '../request';
import { hex } from '../testing';
import { addAddress, delAddress } from './address';
import { addLink, delLink, delLinkGroup, setLink } from './link-requests';
import { setNeighbor } from './neighbor';
import { withoutQueue } from './qdisc';
import { addRoute, delRoute, replaceRoute } from './route-requests';
import type { NewRoute } from './route-requests';
import { addRule, delRule } from './rule';
import type { Rule } from './rule';

const ROUTE: NewRoute = {
  kind: 'unicast',
  dst: '10.9.0.0/24',
  hop: { via: '10.0.0.2', ifindex: 4, onlink: true },
  src: '10.0.0.1',
  table: 1002,
  metric: 65536,
  protocol: 80,
};
const BLACKHOLE: NewRoute = {
  kind: 'blackhole',
  dst: 'fd01::/64',
  hop: null,
  src: null,
  table: 1002,
  metric: 5,
  protocol: 80,
};
const DEFAULT: NewRoute = {
  kind: 'unicast',
  dst: '0.0.0.0/0',
  hop: { via: null, ifindex: 4, onlink: false },
  src: null,
  table: 1002,
  metric: 0,
  protocol: 80,
};
const RULE: Rule = {
  family: 'ipv4',
  priority: 1010,
  fwmark: { value: 0x03ea0000, mask: 0xffff0000 },
  iif: 'v0',
  oif: 'br0',
  from: '10.0.0.0/24',
  to: '10.1.0.0/16',
  table: 1002,
  suppressPrefixLength: 0,
  protocol: 80,
};
const ROUTE_ATTRIBUTES =
  '08000500 0a000002 08000700 0a000001 08000f00 ea030000 08000600 00000100 08000400 04000000';
const RULE_BYTES = `
  02101800 00000001 00000000
  08000a00 0000ea03 08001000 0000ffff 08000600 f2030000 07000300 76300000 08001100 62723000
  08000200 0a000000 08000100 0a010000 08000f00 ea030000 08000e00 00000000 05001500 50000000`;

interface Row {
  readonly name: string;
  readonly in: NetlinkRequest;
  /** Length of the family's header. */
  readonly header: number;
  readonly want: { readonly type: number; readonly flags: number; readonly body: string };
}

const CREATE_EXCL = 0x600;
const rows: readonly Row[] = [
  {
    name: 'veth with its peer; ip(8) leaves out the NUL of the kind',
    in: addLink({
      ifname: 'v0',
      mtu: 1400,
      mac: '02:00:00:00:00:01',
      group: 0x5050,
      up: true,
      kind: { name: 'veth', peer: { ifname: 'p0', mac: '02:00:00:00:00:02' } },
    }),
    header: 16,
    want: {
      type: 16,
      flags: CREATE_EXCL,
      body: `
        00000000 00000000 01000000 01000000
        08000400 78050000 0a000100 02000000 00010000 08001b00 50500000 07000300 76300000
        3c001200 09000100 76657468 00000000
                 2c000200 28000100 00000000 00000000 00000000 00000000
                                   0a000100 02000000 00020000 07000300 70300000`,
    },
  },
  {
    name: 'alias and bridge of a link',
    in: setLink(4, { alias: 'patchpanel:x', master: 2 }),
    header: 16,
    want: {
      type: 19, // ip(8) says RTM_NEWLINK, to the same effect
      flags: 0,
      body: '00000000 04000000 00000000 00000000 10001400 70617463 6870616e 656c3a78 08000a00 02000000',
    },
  },
  {
    name: 'links of a group',
    in: delLinkGroup(0x5051),
    header: 16,
    want: { type: 17, flags: 0, body: '00000000 00000000 00000000 00000000 08001b00 51500000' },
  },
  {
    name: 'one link',
    in: delLink(4),
    header: 16,
    want: { type: 17, flags: 0, body: '00000000 04000000 00000000 00000000' },
  },
  {
    name: 'IPv4 address with broadcast',
    in: addAddress(4, '100.115.92.129/30'),
    header: 8,
    want: {
      type: 20,
      flags: CREATE_EXCL,
      body: '021e0000 04000000 08000200 64735c81 08000100 64735c81 08000400 64735c83',
    },
  },
  {
    name: 'IPv6 address; ip(8) puts the flag into the header',
    in: addAddress(4, 'fd00::1/64', { dad: false }),
    header: 8,
    want: {
      type: 20,
      flags: CREATE_EXCL,
      body: `0a400000 04000000 14000200 fd000000 00000000 00000000 00000001
             14000100 fd000000 00000000 00000000 00000001 08000800 02000000`,
    },
  },
  {
    name: 'address gone; ip(8) says it twice',
    in: delAddress(4, '100.115.92.129/30'),
    header: 8,
    want: { type: 21, flags: 0, body: '021e0000 04000000 08000200 64735c81' },
  },
  {
    name: 'route by a gateway on the link, high table, all there is to say',
    in: addRoute(ROUTE),
    header: 12,
    want: {
      type: 24,
      flags: CREATE_EXCL,
      body: `02180000 00500001 04000000 08000100 0a090000 ${ROUTE_ATTRIBUTES}`,
    },
  },
  {
    name: 'route replaced',
    in: replaceRoute(ROUTE),
    header: 12,
    want: {
      type: 24,
      flags: 0x500,
      body: `02180000 00500001 04000000 08000100 0a090000 ${ROUTE_ATTRIBUTES}`,
    },
  },
  {
    name: 'blackhole',
    in: addRoute(BLACKHOLE),
    header: 12,
    want: {
      type: 24,
      flags: CREATE_EXCL,
      body: '0a400000 00500006 00000000 14000100 fd010000 00000000 00000000 00000000 08000f00 ea030000 08000600 05000000',
    },
  },
  {
    name: 'default route without gateway: scope link',
    in: addRoute(DEFAULT),
    header: 12,
    want: {
      type: 24,
      flags: CREATE_EXCL,
      body: '02000000 0050fd01 00000000 08000f00 ea030000 08000400 04000000',
    },
  },
  {
    name: 'throw is a kind',
    in: addRoute({ ...DEFAULT, kind: 'throw', hop: null }),
    header: 12,
    want: { type: 24, flags: CREATE_EXCL, body: '02000000 00500009 00000000 08000f00 ea030000' },
  },
  {
    name: 'route gone: of any scope; ip(8) takes any kind',
    in: delRoute({ ...DEFAULT, hop: { via: '10.0.0.2', ifindex: 4, onlink: false } }),
    header: 12,
    want: {
      type: 25,
      flags: 0,
      body: '02000000 0050ff01 00000000 08000500 0a000002 08000f00 ea030000 08000400 04000000',
    },
  },
  {
    name: 'rule, all there is to say',
    in: addRule(RULE),
    header: 12,
    want: { type: 32, flags: CREATE_EXCL, body: RULE_BYTES },
  },
  { name: 'rule gone', in: delRule(RULE), header: 12, want: { type: 33, flags: 0, body: RULE_BYTES } },
  {
    name: 'neighbour',
    in: setNeighbor({ ifindex: 4, address: '10.0.0.9', mac: '02:00:00:00:00:09', state: 'permanent' }),
    header: 12,
    want: {
      type: 28,
      flags: 0x500,
      body: '02000000 04000000 80000000 08000100 0a000009 0a000200 02000000 00090000',
    },
  },
  {
    name: 'no queue; tc(8) of iproute2 6.1',
    in: withoutQueue(4),
    header: 20,
    want: {
      type: 36,
      flags: 0x500,
      body: '00000000 04000000 00000000 ffffffff 00000000 0c000100 6e6f7175 65756500',
    },
  },
  {
    name: 'accept_redirects and accept_local of a link',
    in: setLink(4, {
      inetConf: new Map([
        [4, 0],
        [23, 1],
      ]),
    }),
    header: 16,
    want: {
      type: 19,
      flags: 0,
      body: '00000000 04000000 00000000 00000000 1c001a00 18000280 14000180 08000400 00000000 08001700 01000000',
    },
  },
  {
    name: 'IPv4 address of somebody',
    in: addAddress(4, '100.115.92.129/30', { protocol: 80 }),
    header: 8,
    want: {
      type: 20,
      flags: CREATE_EXCL,
      body: '021e0000 04000000 08000200 64735c81 08000100 64735c81 08000400 64735c83 05000b00 50000000',
    },
  },
  {
    name: 'veth with one queue each way, whose far end has no multicast',
    in: addLink({
      ifname: 'v0',
      ifindex: 7,
      queues: 1,
      kind: { name: 'veth', peer: { ifname: 'p0', ifindex: 8, multicast: false, queues: 1 } },
    }),
    header: 16,
    want: {
      type: 16,
      flags: CREATE_EXCL,
      body: `
        00000000 07000000 00000000 00000000
        07000300 76300000 08001f00 01000000 08002000 01000000
        40001200 09000100 76657468 00000000
                 30000200 2c000100 00000000 08000000 00000000 00100000
                                   07000300 70300000 08001f00 01000000 08002000 01000000`,
    },
  },
];

test.each(rows)('$name', ({ in: request, header, want }) => {
  const { type, flags, body } = request;
  expect({ type, flags, body: content(body, header) }).toEqual({
    ...want,
    body: content(hex(want.body), header),
  });
});

/** The header, and the attributes in a fixed order with flags off, two levels deep (IFLA_LINKINFO). */
function content(body: Uint8Array, header: number): unknown {
  return [text(body.subarray(0, header)), ...attributes(body.subarray(header))];
}

function attributes(bytes: Uint8Array): readonly unknown[] {
  const all: string[] = [];
  for (let at = 0; at < bytes.length; at += align4(readU16host(bytes, at))) {
    const type = readU16host(bytes, at + 2) & 0x3fff;
    const payload = bytes.subarray(at + 4, at + readU16host(bytes, at));
    all.push(`${type}: ${type === 18 ? JSON.stringify(linkInfo(payload)) : text(payload)}`);
  }
  return all.sort();
}

/** kind, then INFO_DATA holding one attribute whose payload is a link message. */
function linkInfo(payload: Uint8Array): unknown {
  const data = align4(readU16host(payload, 0));
  const peer = payload.subarray(data + 8);
  return [text(payload.subarray(0, data)), readU16host(payload, data), content(peer, 16)];
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the label says what was asked', () => {
  expect(
    [...rows.slice(1, 3), ...rows.slice(7, 8), ...rows.slice(13, 14)].map((row) => row.in.label()),
  ).toEqual([
    'link.set #4 alias patchpanel:x master 2',
    'link.del group 20561',
    'route.add 10.9.0.0/24 via 10.0.0.2 dev #4 table 1002 metric 65536',
    'rule.add ipv4 priority 1010 from 10.0.0.0/24 to 10.1.0.0/16 iif v0 oif br0 fwmark 0x3ea0000/0xffff0000 lookup 1002',
  ]);
});
