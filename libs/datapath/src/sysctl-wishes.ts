import { IPV6_LEAST_MTU } from './mtu';
import { linkSysctl } from './sysctl-keys';

/** What of a host decides its sysctls. */
export interface SysctlNeeds {
  /** `mtu` absent: enough for IPv6. */
  readonly uplinks: readonly { readonly ifname: string; readonly mtu?: number }[];
  /** Value of each key of interest before it is touched; null: this kernel has no such key. */
  readonly originals: ReadonlyMap<string, string | null>;
}

/** What was found under a key before we touched it; null: this kernel has no such key. */
type Found = (key: string) => string | null;

/** A key of interest: from the value found, the value we want; the same value leaves it alone. */
export interface SysctlWish {
  readonly key: string;
  readonly want: (found: string, others: Found) => string;
}

const PROBE_FORCE = 'net.ipv6.conf.default.force_forwarding';
const PROBE_RP_FILTER = 'net.ipv4.conf.all.rp_filter';
const asFound: SysctlWish['want'] = (found) => found;
export const IP_FORWARD = 'net.ipv4.ip_forward';
/** The kernel writes it whenever ip_forward changes: 0 for a host that forwards, else 1, whatever was there (inet_forward_change). */
export const ACCEPT_REDIRECTS = 'net.ipv4.conf.all.accept_redirects';

/** Independent of uplinks. Ports 47104-61000 belong to the guests' side (spec 3.3). */
const ALWAYS: readonly SysctlWish[] = [
  { key: PROBE_FORCE, want: asFound },
  { key: PROBE_RP_FILTER, want: asFound },
  { key: 'net.ipv4.ip_local_port_range', want: () => '32768\t47103' },
  { key: ACCEPT_REDIRECTS, want: asFound },
  { key: IP_FORWARD, want: () => '1' },
];

/** Without force_forwarding (before Linux 6.17) only the global switch forwards IPv6; last, after accept_ra of the uplinks. */
const FORWARD_ALL: SysctlWish = {
  key: 'net.ipv6.conf.all.forwarding',
  want: (found, others) => (others(PROBE_FORCE) === null ? '1' : found),
};

/** All keys of interest in this world, in the order in which they are written: a host that forwards ignores RAs unless accept_ra is 2. */
export const sysctlWishes = ({ uplinks }: Pick<SysctlNeeds, 'uplinks'>): readonly SysctlWish[] => [
  ...uplinks.flatMap(uplinkWishes),
  ...ALWAYS,
  ...(uplinks.length > 0 ? [FORWARD_ALL] : []),
];

/** What is set for IPv6 goes with IPv6 when the MTU becomes too small, and is wished for anew when it comes back. */
function uplinkWishes({
  ifname,
  mtu = IPV6_LEAST_MTU,
}: SysctlNeeds['uplinks'][number]): readonly SysctlWish[] {
  const ipv6: readonly SysctlWish[] = [
    { key: linkSysctl('ipv6', ifname, 'accept_ra'), want: (found) => (found === '1' ? '2' : found) },
    { key: linkSysctl('ipv6', ifname, 'force_forwarding'), want: () => '1' },
  ];
  return [
    ...(mtu < IPV6_LEAST_MTU ? [] : ipv6),
    // Replies to a pinned guest come in by an uplink that is not the best one; strict (1) would drop them. The greater of both counts.
    {
      key: linkSysctl('ipv4', ifname, 'rp_filter'),
      want: (found, others) => (isStrict(found, others(PROBE_RP_FILTER)) ? '2' : found),
    },
  ];
}

const isStrict = (own: string, all: string | null): boolean => Math.max(Number(own), Number(all ?? 0)) === 1;

/** The kernel can forward IPv6 for one interface alone (Linux 6.17). */
export const canForceForwarding = ({ originals }: Pick<SysctlNeeds, 'originals'>): boolean =>
  (originals.get(PROBE_FORCE) ?? null) !== null;

/** What is to be written: keys that this kernel has and whose value is not what we want already. */
export function desiredSysctls(needs: SysctlNeeds): ReadonlyMap<string, string> {
  const found: Found = (key) => needs.originals.get(key) ?? null;
  const desired = new Map<string, string>();
  for (const { key, want } of sysctlWishes(needs)) {
    const original = found(key);
    if (original !== null && want(original, found) !== original) desired.set(key, want(original, found));
  }
  return desired;
}

/** Of what is set, that by which the whole host forwards: others may rely on it by now. Without their accept_ra uplinks would lose their IPv6. */
export const hostForwarding = (set: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...set].filter(
      ([key]) =>
        key === IP_FORWARD ||
        key === FORWARD_ALL.key ||
        (set.has(FORWARD_ALL.key) && key.endsWith('.accept_ra')),
    ),
  );
