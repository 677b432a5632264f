import type { Place } from './place';

/**
 * All that a host's kernel is told to do about the network, one fact a line: links, addresses, routes, rules and proxy neighbours of
 * both families, names of namespaces, the nftables ruleset, sysctls. Without what changes by itself: counters, handles, lifetimes. Order only
 * where it means something, which is among the rules of a chain.
 */
export type HostListing = readonly string[];

type Fact = Readonly<Record<string, unknown>>;

export async function hostListing(host: Place): Promise<HostListing> {
  const ip = async (kind: string, ...args: readonly string[]): Promise<HostListing> =>
    facts(kind, (await host.json('ip', '-j', ...args)) as readonly Fact[]);
  const lists = await Promise.all([
    ip('link', '-d', 'link', 'show'),
    ip('addr', 'addr', 'show'),
    ip('route4', '-4', '-N', 'route', 'show', 'table', 'all'),
    ip('route6', '-6', '-N', 'route', 'show', 'table', 'all'),
    ip('rule4', '-4', '-N', 'rule', 'show'),
    ip('rule6', '-6', '-N', 'rule', 'show'),
    ip('proxy4', '-4', 'neigh', 'show', 'proxy'),
    ip('proxy6', '-6', 'neigh', 'show', 'proxy'),
    ip('netns', 'netns', 'list'),
    host.json('nft', '-j', 'list', 'ruleset').then(nftFacts),
    host.run('sysctl', ['-a', '-r', '^net[.](ipv4|ipv6)[.]']).then(({ stdout }) => sysctlFacts(stdout)),
  ]);
  return lists.flat();
}

/** Lines with `-` are missing from `after`, lines with `+` are new in it. Empty: the two are equal. */
export function listingDifference(before: HostListing, after: HostListing): readonly string[] {
  const gone = without(before, after).map((line) => `- ${line}`);
  const added = without(after, before).map((line) => `+ ${line}`);
  return [...gone, ...added];
}

/** As often as a line occurs more often here than there: rules may exist twice. */
function without(lines: HostListing, others: HostListing): readonly string[] {
  const left = new Map<string, number>(); // BOUNDED: by the lines of one listing
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

/** `ip addr` repeats the link, which is listed once by itself; lifetimes count down. */
const CHANGES_BY_ITSELF: ReadonlySet<string> = new Set([
  'expires',
  'handle',
  'packets',
  'bytes',
  'preferred_life_time',
  'valid_life_time',
  'stats',
  'stats64',
  ...['gc', 'hello', 'tcn', 'topology_change', 'message_age', 'forward_delay', 'hold'].map(
    (name) => `${name}_timer`,
  ), // of bridges
]);

export function facts(kind: string, list: readonly Fact[]): HostListing {
  return list.map((fact) => `${kind} ${canonical(kind === 'addr' ? onlyAddresses(fact) : fact)}`).sort();
}

function onlyAddresses({ ifname, addr_info }: Fact): Fact {
  return { ifname, addr_info };
}

/** The objects of `nft -j list ruleset`; a rule carries its place in its chain, so that a change of order is a change. */
export function nftFacts(ruleset: unknown): HostListing {
  const { nftables = [] } = ruleset as { readonly nftables?: readonly Readonly<Record<string, Fact>>[] };
  const places = new Map<string, number>(); // BOUNDED: one entry per chain of one listing
  const lines = nftables.flatMap((object) =>
    Object.entries(object).flatMap(([kind, fact]) => {
      if (kind === 'metainfo') return [];
      if (kind !== 'rule') return [`nft ${kind} ${canonical(withSortedElements(fact))}`];
      const chain = ['family', 'table', 'chain'].map((key) => String(fact[key])).join(' ');
      const place = places.get(chain) ?? 0;
      places.set(chain, place + 1);
      return [`nft rule ${chain} #${place} ${canonical(fact)}`];
    }),
  );
  return lines.sort();
}

/** The kernel lists the elements of a set in the order of its hash table. */
function withSortedElements(fact: Fact): Fact {
  const { elem } = fact;
  return Array.isArray(elem)
    ? {
        ...fact,
        elem: elem
          .map(canonical)
          .sort()
          .map((text) => JSON.parse(text) as unknown),
      }
    : fact;
}

/** Offers of the kernel that grow when anybody on the machine loads a module. */
const MACHINE_WIDE = /^net\.ipv4\.tcp_(available|allowed)_/;

export function sysctlFacts(text: string): HostListing {
  const lines = text.split('\n').filter((line) => line !== '' && !MACHINE_WIDE.test(line));
  return lines.map((line) => `sysctl ${line}`).sort();
}

/** JSON with sorted keys and without what changes by itself. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (CHANGES_BY_ITSELF.has(key)) return undefined;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
