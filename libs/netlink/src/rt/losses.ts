import type { NetlinkMessage } from '../codec/message';
import { readU32host } from '../codec/numbers';
import type { Subject } from '../monitor';
import { decodeRouteEvent, routeSubject, type RouteEvent } from './events';
import { RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_DELRULE, RTM_NEWLINK } from './types';

const LOSSES: ReadonlySet<number> = new Set([RTM_DELLINK, RTM_DELADDR, RTM_DELROUTE, RTM_DELRULE]);

// struct ifinfomsg: u8 family, u8 pad, u16 type, s32 index, u32 flags, u32 change.
const FLAGS = 8;
const CHANGE = 12;
const IFINFOMSG = 16;
const IFF_UP = 0x1;
/** Of a link that is being made. */
const ALL = 0xffffffff;

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
