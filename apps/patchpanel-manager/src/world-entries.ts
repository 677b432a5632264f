import type { SharedMap } from '@pp/base';
import { desiredSysctls, type ExtraPool } from '@pp/datapath';
import type { JournalChange, Json } from '@pp/ports';
import { netnsNamesOf } from './desired';
import { DNS_RULE_PREFIX, dnsRuleNumber, type DnsRule } from './domain/dns-rules';
import type { Guest } from './domain/guest';
import { PORT_RULE_PREFIX, type OwnedPortRule } from './domain/port-rules';
import type { World } from './domain/world';

/** Keys of what is journaled; every guest has its guestKey, which has a slash; rules have keys of their own prefix, and none has a slash. */
const NEXT_NAMESPACE = 'next-namespace';
const NEXT_DNS_RULE = 'next-dns-rule';
const ORIGINALS = 'sysctl-originals';
/** The values that we write, so that a later start restores only what still holds them. */
const WRITTEN = 'sysctl-written';
const VPN_LOCKDOWN = 'vpn-lockdown';
/** Address space beside the reference's: `--pool`, and what guests of earlier runs still have. */
const POOLS = 'pools';
/** Names under /run/netns that a start is about to remove: nothing else would tell the next one that they are ours. */
const STALE_NETNS = 'stale-netns';

/** What the journal remembers of a former world. Uplinks are not kept: the kernel tells them anew. */
export interface Remembered {
  readonly guests: ReadonlyMap<string, Guest>;
  readonly portRules: ReadonlyMap<string, OwnedPortRule>;
  readonly dnsRules: ReadonlyMap<string, DnsRule>;
  readonly nextNamespace: number;
  readonly nextDnsRule: number;
  readonly originals: ReadonlyMap<string, string | null>;
  readonly written: ReadonlyMap<string, string>;
  readonly vpnLockdown: boolean;
  readonly pools: readonly ExtraPool[];
  /** Of guests that are no more. */
  readonly staleNetns: readonly string[];
}

/** The journal's step from one world to the next; it costs what changed. */
export function entriesBetween(from: World, to: World): JournalChange {
  const put = new Map<string, Json>();
  const del: string[] = [];
  const compare = <T>(before: SharedMap<string, T>, after: SharedMap<string, T>): void => {
    if (before === after) return;
    for (const [key, value] of after.beside(before)) put.set(key, value as Json);
    del.push(...before.keysBeside(after));
  };
  compare(from.guests, to.guests);
  compare(from.portRules, to.portRules);
  compare(from.dnsRules, to.dnsRules);
  if (from.nextDnsRule !== to.nextDnsRule) put.set(NEXT_DNS_RULE, to.nextDnsRule);
  if (from.nextNamespace !== to.nextNamespace) put.set(NEXT_NAMESPACE, to.nextNamespace);
  if (from.vpnLockdown !== to.vpnLockdown) put.set(VPN_LOCKDOWN, to.vpnLockdown);
  if (from.originals !== to.originals) {
    put.set(ORIGINALS, Object.fromEntries(to.originals));
    put.set(WRITTEN, Object.fromEntries(desiredSysctls(to)));
  }
  return { put, del };
}

/** All of a world anew, while a start still clears away what `former` left. */
export function entriesOfStart(former: Remembered, world: World): JournalChange {
  const kept = [...world.guests, ...world.portRules, ...world.dnsRules] as unknown as [string, Json][];
  return {
    put: new Map<string, Json>([
      ...kept,
      [NEXT_NAMESPACE, world.nextNamespace],
      [NEXT_DNS_RULE, world.nextDnsRule],
      [VPN_LOCKDOWN, world.vpnLockdown],
      [ORIGINALS, Object.fromEntries([...former.originals, ...world.originals])],
      [WRITTEN, Object.fromEntries([...former.written, ...desiredSysctls(world)])],
      [STALE_NETNS, former.staleNetns],
      [POOLS, asJson(distinct([...world.pools.extra, ...former.pools]))],
    ]),
    del: [...former.guests.keys(), ...former.dnsRules.keys()].filter(
      (key) => !world.guests.has(key) && !world.dnsRules.has(key),
    ),
  };
}

/** What was left is gone: only the world counts. */
export const entriesOfSettled = (world: World): JournalChange => ({
  put: new Map<string, Json>([
    [ORIGINALS, Object.fromEntries(world.originals)],
    [WRITTEN, Object.fromEntries(desiredSysctls(world))],
    [POOLS, asJson(world.pools.extra)],
  ]),
  del: [STALE_NETNS],
});

/** After everything was taken back: port rules are put back by the next start (spec 3.4); null: there is nothing to remember. */
export function entriesOfEnded(world: World, entries: Iterable<string>): JournalChange | null {
  const stays = (key: string): boolean =>
    world.portRules.has(key) || (key === VPN_LOCKDOWN && world.vpnLockdown);
  if (world.portRules.size === 0 && !world.vpnLockdown) return null;
  return { put: new Map(), del: [...entries].filter((key) => !stays(key)) };
}

/** Reads back what was written above (the journal's checksum vouches for the bytes). */
export function remembered(entries: ReadonlyMap<string, Json>): Remembered {
  const read = <T>(key: string, none: T): T => (entries.get(key) ?? none) as T;
  const some = <T>(isWanted: (key: string) => boolean): ReadonlyMap<string, T> =>
    new Map([...entries].filter(([key]) => isWanted(key)) as unknown as [string, T][]);
  return {
    guests: some((key) => key.includes('/')),
    portRules: some((key) => key.startsWith(PORT_RULE_PREFIX)),
    dnsRules: oldestFirst(some((key) => key.startsWith(DNS_RULE_PREFIX))),
    nextNamespace: read(NEXT_NAMESPACE, 0),
    nextDnsRule: read(NEXT_DNS_RULE, 0),
    originals: new Map(Object.entries(read<Record<string, string | null>>(ORIGINALS, {}))),
    written: new Map(Object.entries(read<Record<string, string>>(WRITTEN, {}))),
    vpnLockdown: read(VPN_LOCKDOWN, false),
    pools: read<readonly ExtraPool[]>(POOLS, []),
    staleNetns: read<readonly string[]>(STALE_NETNS, []),
  };
}

/** The newest counts, and the journal has no order. */
const oldestFirst = (rules: ReadonlyMap<string, DnsRule>): ReadonlyMap<string, DnsRule> =>
  new Map([...rules].toSorted(([a], [b]) => dnsRuleNumber(a) - dnsRuleNumber(b)));

/**
 * What a start has to know of a run that was cut short: of its last change, neither the state before nor the one after may be
 * complete in the kernel. Values that were found first are the true originals.
 */
export function cutShort(after: Remembered, before: Remembered, kept: ReadonlySet<string>): Remembered {
  const lost = [...after.guests, ...before.guests].filter(([key]) => !kept.has(key));
  return {
    guests: after.guests,
    portRules: after.portRules,
    dnsRules: after.dnsRules,
    nextNamespace: Math.max(after.nextNamespace, before.nextNamespace),
    nextDnsRule: Math.max(after.nextDnsRule, before.nextDnsRule),
    originals: new Map([...after.originals, ...before.originals]),
    written: new Map([...before.written, ...after.written]),
    vpnLockdown: after.vpnLockdown,
    pools: distinct([...after.pools, ...before.pools]),
    staleNetns: [
      ...new Set([
        ...after.staleNetns,
        ...before.staleNetns,
        ...lost.flatMap(([, guest]) => netnsNamesOf(guest)),
      ]),
    ],
  };
}

/** Each once. */
const distinct = (pools: readonly ExtraPool[]): readonly ExtraPool[] => [
  ...new Map(pools.map((pool) => [`${pool.kind}=${pool.cidr}`, pool])).values(),
];

const asJson = (pools: readonly ExtraPool[]): Json => pools.map(({ kind, cidr }) => ({ kind, cidr }));
