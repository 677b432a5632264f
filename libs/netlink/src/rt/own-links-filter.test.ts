import { runBpf } from '@pp/wire';
import { encodeMessage } from '../codec/message';
import type { NetlinkRequest } from '../request';
import { addAddress } from './address';
import { addLink, delLink, setLink } from './link-requests';
import { ownLinksFilter } from './own-links-filter';
import { addRoute, delRoute } from './route-requests';
import * as RT from './types';

const [OURS, DOOMED] = [0x5050, 0x5051];
const FILTER = ownLinksFilter({ groups: [OURS, DOOMED], protocol: 80 });

/** A request as the kernel would tell of its object. */
const news = (type: number, { body }: NetlinkRequest): Uint8Array =>
  encodeMessage({ type, flags: 0, seq: 0, body });

const linkNews = (request: NetlinkRequest): Uint8Array => news(RT.RTM_NEWLINK, request);

/** In requests the number of a table is an attribute, in news it is in the header too. */
function routeNews(type: number, request: NetlinkRequest, table: number): Uint8Array {
  const bytes = news(type, request);
  bytes[20] = table; // rtm_table
  return bytes;
}

const link = (group: number, up = false): NetlinkRequest =>
  addLink({ ifname: 'arc_ns0', group, up, kind: { name: 'veth', peer: { ifname: 'veth0' } } });
const bridge = addLink({ ifname: 'arcbr0', group: OURS, kind: { name: 'bridge' } });
/** A veth's with the kind of a TAP; a request has what comes up among the changes (ifi_change), and the kernel has nothing there where that was before. */
function tapNews(group: number, how: 'down' | 'rising' | 'up'): Uint8Array {
  const bytes = Buffer.from(linkNews(link(group, how !== 'down')));
  bytes.write('tun\0', bytes.indexOf('veth'));
  if (how !== 'rising') bytes.writeUInt32LE(0, 28);
  return bytes;
}
const route = (table: number): Parameters<typeof addRoute>[0] => ({
  kind: 'unicast',
  dst: '10.0.0.0/24',
  hop: { via: null, ifindex: 3, onlink: false },
  src: null,
  table,
  metric: 0,
  protocol: 80,
});

/** What the kernel makes with a link's own address, or something like it. */
function linkLocalNews(change: Partial<typeof LINK_LOCAL> & { by?: number } = {}): Uint8Array {
  const bytes = routeNews(RT.RTM_NEWROUTE, addRoute({ ...route(254), ...LINK_LOCAL, ...change }), 254);
  bytes[12] = change.by ?? 0; // nlmsg_pid
  return bytes;
}
/** What the kernel makes with an address of IPv4, or something like it. */
const connectedNews = (change: { by?: number; protocol?: number } = {}): Uint8Array =>
  linkLocalNews({ dst: '192.0.2.0/24', ...change });
const LINK_LOCAL = { dst: 'fe80::/64', protocol: 2 };

const address = (protocol: number): NetlinkRequest => addAddress(3, '192.0.2.1/24', { protocol });

const rows: { name: string; in: Uint8Array; want: 'heard' | 'not heard' }[] = [
  { name: 'a veth of ours', in: linkNews(link(OURS)), want: 'not heard' },
  { name: 'a bridge of ours that changes', in: linkNews(bridge), want: 'heard' },
  { name: 'a TAP of ours that is down', in: tapNews(OURS, 'down'), want: 'heard' },
  { name: 'a TAP of ours that comes up', in: tapNews(OURS, 'rising'), want: 'heard' },
  { name: 'a TAP of ours that is up', in: tapNews(OURS, 'up'), want: 'not heard' },
  { name: "a TAP of somebody's that is up", in: tapNews(7, 'up'), want: 'heard' },
  { name: 'a veth about to go', in: linkNews(link(DOOMED)), want: 'not heard' },
  { name: 'a veth of ours that went', in: news(RT.RTM_DELLINK, link(OURS)), want: 'not heard' },
  { name: 'a foreign veth that went', in: news(RT.RTM_DELLINK, link(7)), want: 'heard' },
  { name: 'a link that went, of which nothing is told', in: news(RT.RTM_DELLINK, delLink(3)), want: 'heard' },
  { name: 'a foreign veth that changes', in: linkNews(link(7)), want: 'heard' },
  {
    name: 'a link whose kind is not told',
    in: linkNews(setLink(3, { up: true })),
    want: 'heard',
  },
  { name: 'a route of table main', in: routeNews(RT.RTM_NEWROUTE, addRoute(route(254)), 254), want: 'heard' },
  {
    name: 'a route of table local',
    in: routeNews(RT.RTM_NEWROUTE, addRoute(route(255)), 255),
    want: 'not heard',
  },
  { name: 'one that went', in: routeNews(RT.RTM_DELROUTE, delRoute(route(255)), 255), want: 'not heard' },
  { name: "the kernel's own route of a link", in: linkLocalNews(), want: 'not heard' },
  { name: 'one that somebody made by hand', in: linkLocalNews({ by: 1 }), want: 'heard' },
  { name: 'one that a daemon made', in: linkLocalNews({ protocol: 16 }), want: 'heard' },
  { name: 'one to another prefix', in: linkLocalNews({ dst: 'fe80::/10' }), want: 'heard' },
  { name: 'one to an address of the LAN', in: linkLocalNews({ dst: 'fd00::/64' }), want: 'heard' },
  { name: "the kernel's own route of an address", in: connectedNews(), want: 'not heard' },
  { name: 'one that somebody made by hand, of IPv4', in: connectedNews({ by: 1 }), want: 'heard' },
  { name: 'one that a DHCP client made', in: connectedNews({ protocol: 16 }), want: 'heard' },
  { name: 'an address of ours', in: news(RT.RTM_NEWADDR, address(80)), want: 'not heard' },
  { name: 'an address of ours that went', in: news(RT.RTM_DELADDR, address(80)), want: 'not heard' },
  { name: "somebody's address", in: news(RT.RTM_NEWADDR, address(3)), want: 'heard' },
  { name: 'a neighbour, however its bytes look', in: news(RT.RTM_NEWNEIGH, link(OURS)), want: 'heard' },
  { name: "nobody's address", in: news(RT.RTM_NEWADDR, address(0)), want: 'heard' },
];

test.each(rows)('$name is $want', ({ in: message, want }) => {
  expect(runBpf(FILTER, message) > 0 ? 'heard' : 'not heard').toBe(want);
});
