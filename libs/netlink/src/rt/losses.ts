import { bpf } from '@pp/wire';
import type { NetlinkMessage } from '../codec/message';
import { readU32host } from '../codec/numbers';
import type { Subject } from '../monitor';
import { decodeRouteEvent, routeSubject, type RouteEvent } from './events';
import { loaded16, loaded32 } from './own-links-filter';
import { RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_DELRULE, RTM_NEWLINK } from './types';

const LOSSES: ReadonlySet<number> = new Set([RTM_DELLINK, RTM_DELADDR, RTM_DELROUTE, RTM_DELRULE]);

// struct ifinfomsg: u8 family, u8 pad, u16 type, s32 index, u32 flags, u32 change.
const FLAGS = 8;
const CHANGE = 12;
const IFINFOMSG = 16;
/** struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol. */
const RTM_PROTOCOL = 5;
const IFF_UP = 0x1;
/** Of a link that is being made. */
const ALL = 0xffffffff;

const { accept, jump, label, load } = bpf;
const HEADER = 16; // struct nlmsghdr
const NLMSG_TYPE = 4;

/** Lets through what `lossSubject` looks at: who makes many links is not told of each. `protocol`: that of the routes of interest. */
export const lossFilter = (protocol: number): readonly bpf.BpfInstruction[] =>
  bpf.assembleBpf([
    load('ldH', NLMSG_TYPE),
    jump('jeq', loaded16(RTM_NEWLINK), { then: 'link' }),
    jump('jeq', loaded16(RTM_DELROUTE), { then: 'route' }),
    ...[RTM_DELLINK, RTM_DELADDR, RTM_DELRULE].map((type) => jump('jeq', loaded16(type), { then: 'accept' })),
    jump('jeq', 0, { then: 'drop', else: 'drop' }),
    label('route'),
    load('ldB', HEADER + RTM_PROTOCOL),
    jump('jeq', protocol, { then: 'accept', else: 'drop' }),
    label('link'),
    load('ldW', HEADER + CHANGE),
    jump('jeq', ALL, { then: 'drop' }),
    load('ldW', HEADER + FLAGS),
    jump('jset', loaded32(IFF_UP), { then: 'drop' }),
    label('accept'),
    accept(0x7fffffff),
    label('drop'),
    accept(0),
  ]);

/** What goes: links, also when they go down, addresses, routes and rules. All else costs a look at its type. No snapshot is read. */
export const lossSubject = (): Subject<null, RouteEvent> => ({
  groups: routeSubject(['link', 'address', 'route', 'rule']).groups,
  decode: (message) =>
    LOSSES.has(message.type) || (message.type === RTM_NEWLINK && wentDown(message))
      ? decodeRouteEvent(message)
      : null,
  snapshot: () => Promise.resolve(null),
});

function wentDown({ body }: NetlinkMessage): boolean {
  if (body.length < IFINFOMSG) return false;
  const [flags, change] = [readU32host(body, FLAGS), readU32host(body, CHANGE)];
  return (flags & IFF_UP) === 0 && change !== ALL && (change & IFF_UP) !== 0;
}
