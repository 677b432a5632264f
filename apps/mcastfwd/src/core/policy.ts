import type { Family } from '@pp/wire';
import { matchesIfname } from '@pp/ports';
import { letsThrough, ruleApplies, type FilterRule, type FilterSide } from './filter-rule';
import type { Exit } from './topology';

/** Seen from the guests: `inbound` lets them be found, `outbound` lets them find. */
export const DIRECTIONS = ['two-way', 'inbound', 'outbound', 'off'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What is done about the URL in which a device says where it is. */
export const LOCATIONS = ['rewrite', 'keep', 'drop-unreachable'] as const;
export type LocationPolicy = (typeof LOCATIONS)[number];

/** A port of the host that leads to a port of a guest. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  readonly guest: string;
  readonly guestPort: number;
  /** The interface at whose address the port is; absent: it is at every one. */
  readonly lan?: string;
}

/** What an operator may change while it runs. */
export interface Policy {
  readonly direction: Direction;
  /** By name or pattern; the last that matches a guest counts. */
  readonly guestDirections: readonly { readonly guest: string; readonly direction: Direction }[];
  readonly betweenGuests: boolean;
  readonly filters: readonly FilterRule[];
  /** Families in which guests are behind the host's own address. */
  readonly nat: readonly Family[];
  readonly locations: LocationPolicy;
  readonly forwards: readonly PortForward[];
  /** The members are one link (ndproxy in bridge mode joins them), so link-local addresses mean the same everywhere. */
  readonly isOneLink: boolean;
  /** Keys of TXT records in which the address of a guest is replaced too. */
  readonly txtKeys: readonly string[];
  /** Where answers to a searcher come from: the group's port, or the port of the session. */
  readonly replyFrom: 'group' | 'session';
}

export const DEFAULT_POLICY: Policy = {
  direction: 'two-way',
  guestDirections: [],
  betweenGuests: true,
  filters: [],
  nat: ['ipv4'],
  locations: 'rewrite',
  forwards: [],
  isOneLink: false,
  txtKeys: [],
  replyFrom: 'group',
};

/** A packet asks for something, or says that something is there: an announcement, a farewell, a probe, an answer. */
export type Purpose = 'query' | 'announcement';

export function directionOf(policy: Policy, guest: string): Direction {
  const own = policy.guestDirections.findLast((each) => matchesIfname(each.guest, guest));
  return own?.direction ?? policy.direction;
}

/** Whether a packet may go this way at all. */
export function mayGo(policy: Policy, { way, guest, segment }: Exit, purpose: Purpose): boolean {
  if (way === 'between-guests')
    return (
      policy.betweenGuests &&
      directionOf(policy, guest.ifname) !== 'off' &&
      directionOf(policy, segment.ifname) !== 'off'
    );
  switch (directionOf(policy, guest.ifname)) {
    case 'two-way':
      return true;
    case 'off':
      return false;
    case 'inbound':
      return (way === 'to-guest') === (purpose === 'query');
    case 'outbound':
      return (way === 'to-lan') === (purpose === 'query');
  }
}

/** Whose services a packet on this way is about. */
export function sideOf({ way }: Exit, purpose: Purpose): FilterSide {
  if (way === 'between-guests') return 'between';
  return (way === 'to-lan') === (purpose === 'announcement') ? 'in' : 'out';
}

/** The rules that count on a way; none at all is the usual case. */
export const rulesFor = (policy: Policy, exit: Exit, purpose: Purpose): readonly FilterRule[] =>
  policy.filters.length === 0
    ? policy.filters
    : policy.filters.filter((rule) => ruleApplies(rule, exit, sideOf(exit, purpose)));

export { letsThrough };
