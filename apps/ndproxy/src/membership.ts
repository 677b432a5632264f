import { matchesIfname, type InterfacesView, type InterfaceView } from '@pp/ports';
import { macToBytes, parseMac } from '@pp/wire';
import { BARE_MAC } from './core/bare-frame';
import type { Mode } from './core/limits';
import type { MemberLink, Role } from './core/member';
import type { DesiredGroup } from './groups/desired-groups';

/** Why an interface that is named is no member now. */
export type Absence = 'absent' | 'down' | 'not-ethernet';

export interface Membership {
  readonly links: readonly MemberLink[];
  /** By name or pattern; a pattern that nothing matches is absent. */
  readonly missing: ReadonlyMap<string, Absence>;
}

// linux/if_arp.h
const ARPHRD_ETHER = 1;
const ARPHRD_PPP = 512;
const ARPHRD_RAWIP = 519;
const ARPHRD_NONE = 65534;
const POINT_TO_POINT: readonly number[] = [ARPHRD_PPP, ARPHRD_RAWIP, ARPHRD_NONE];

/** TAPs, and what leads into another network namespace. */
const DIRECT: readonly (string | null)[] = ['tun', 'veth'];

/** Which interfaces are members of a group now. A link without Ethernet can only be the upstream, of route mode. One that is both upstream and matched by a pattern is upstream. */
export function membersOf(group: DesiredGroup, mode: Mode, { links }: InterfacesView): Membership {
  const found: MemberLink[] = []; // BOUNDED: by the interfaces
  const missing = new Map<string, Absence>();
  const add = (pattern: string, role: Role): void => {
    const matches = links.filter(({ ifname }) => matchesIfname(pattern, ifname) && ifname !== 'lo');
    if (matches.length === 0) missing.set(pattern, 'absent');
    for (const view of matches) {
      if (found.some(({ ifindex }) => ifindex === view.ifindex)) continue;
      const member = memberLink(view, role, role === 'upstream' && mode === 'route');
      if (typeof member === 'string') missing.set(view.ifname, member);
      else found.push(member);
    }
  };
  if (group.upstream !== null) add(group.upstream, 'upstream');
  for (const pattern of group.downstreams) if (pattern !== group.upstream) add(pattern, 'downstream');
  return { links: found, missing };
}

function memberLink(
  { ifname, ifindex, type, kind, running, mtu, mac }: InterfaceView,
  role: Role,
  mayBeBare: boolean,
): MemberLink | Absence {
  const isPointToPoint = mayBeBare && POINT_TO_POINT.includes(type);
  const parsed = type === ARPHRD_ETHER ? parseMac(mac) : null;
  if (parsed === null && !isPointToPoint) return 'not-ethernet';
  if (!running) return 'down';
  const own = parsed === null ? BARE_MAC : macToBytes(parsed);
  const isDirect = role === 'downstream' && DIRECT.includes(kind);
  return { ifindex, ifname, role, mac: own, mtu, isPointToPoint, isDirect };
}
