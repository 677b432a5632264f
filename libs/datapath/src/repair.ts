import { SharedMap } from '@pp/base';
import { cidrContains, parseCidr } from '@pp/wire';
import type { Address, Desired, Element, Link, Part, Shape } from './desired';
import { diffParts, onLinks, type Diff } from './diff';
import type { Observed, ObservedLink } from './kernel';
import { rulesetText, staleChains } from './nft/render';
import type { Op } from './op';
import { inOrder, type Steps, type SysctlOriginals } from './plan';
import { addressText, routeText, ruleText } from './text';

export interface RepairInput {
  /** Asked for with every netns and sysctl that is wanted or that a former run may have left. */
  readonly observed: Observed;
  readonly want: Desired;
  readonly originals: SysctlOriginals;
  /** The value that former runs wrote under each key: what still holds it and is wanted no more gets its original back. */
  readonly written: ReadonlyMap<string, string>;
  /** Address space that guests had in former runs, beside that of now. */
  readonly formerPrefixes?: readonly string[];
}

/**
 * The steps that make a kernel of unknown past what is wanted: what is right stays untouched, what carries our tag and is not
 * wanted goes. The table is always loaded, with all that it should hold. What cannot be seen is taken to be right: the far end
 * of a veth, the process behind a netns name. To be done by `applyMost`: there is no state worth going back to.
 */
export function repair(input: RepairInput): readonly Op[] {
  const { observed, want, originals, written, formerPrefixes = [] } = input;
  const pools = [...(want.shape?.guestPrefixes ?? ['0.0.0.0/0']), ...formerPrefixes];
  const seen = diffParts(observedParts(observed, want, pools), want.parts);
  const diff = { ...seen, changedLinks: [...seen.changedLinks, ...sleepingLinks(observed, want, seen)] };
  const isNew = onLinks(new Set(diff.links.added.map(({ ifname }) => ifname))).element;
  const elements = [...want.parts.values()].flatMap((part) => part.elements);
  const load = loadOver(
    observed,
    want.shape,
    elements.filter((element) => !isNew(element)),
  );
  const steps = inOrder({
    diff,
    load: [],
    sysctls: sysctlRepairs(observed.sysctls, want.sysctls, originals, written),
    deny: [],
    allow: { add: elements.filter(isNew), del: [] },
  });
  return want.shape === null ? [...steps, ...load] : [...load, ...steps];
}

const LEFT_OVER = 'left over';

/** What was observed, as parts of the owners that want it; the rest has an owner of its own. */
function observedParts(observed: Observed, want: Desired, pools: readonly string[]): Desired['parts'] {
  const seen = new Map(observed.links.map((link) => [link.ifname, link]));
  const has = {
    netns: new Set(observed.netns),
    address: new Set(observed.addresses.map(addressText)),
    route: new Set(observed.routes.map(routeText)),
    rule: new Set(observed.rules.map(ruleText)),
  };
  const parts = new Map<string, Part>();
  for (const [owner, part] of want.parts) {
    parts.set(owner, {
      netns: part.netns.filter(({ name }) => has.netns.has(name)),
      links: part.links.flatMap((link) => asSeen(link, seen.get(link.ifname))),
      addresses: part.addresses.filter((address) => has.address.has(addressText(address))),
      routes: part.routes.filter((route) => has.route.has(routeText(route))),
      rules: part.rules.filter((rule) => has.rule.has(ruleText(rule))),
      elements: [],
      linkSysctls: [],
    });
  }
  parts.set(LEFT_OVER, leftOver(observed, pools, [...parts.values()]));
  return SharedMap.of(parts);
}

/** A wanted link with the attributes that the kernel's has; nothing where there is none, or another one of that name. */
function asSeen(link: Link, seen: ObservedLink | undefined): readonly Link[] {
  if (seen === undefined || !isKind(link, seen.kind) || seen.alias !== link.alias) return [];
  const { multicast, master } = seen;
  return [
    {
      ...link,
      mac: link.mac === null ? null : seen.mac,
      mtu: link.mtu === null ? null : seen.mtu,
      multicast,
      master,
    },
  ];
}

/** IFLA_INFO_KIND of a TAP is "tun". */
const isKind = ({ kind }: Link, seen: string): boolean => seen === kind || (kind === 'tap' && seen === 'tun');

function leftOver(observed: Observed, pools: readonly string[], wanted: readonly Part[]): Part {
  const rest = <T>(
    all: readonly T[],
    of: (part: Part) => readonly T[],
    text: (thing: T) => string,
  ): readonly T[] => {
    const known = new Set(wanted.flatMap(of).map(text));
    return all.filter((thing) => !known.has(text(thing)));
  };
  return {
    netns: rest(
      observed.netns.map((name) => ({ name, from: null })),
      ({ netns }) => netns,
      ({ name }) => name,
    ),
    links: rest(
      observed.links.map(doomedLink),
      ({ links }) => links,
      ({ ifname }) => ifname,
    ),
    addresses: rest(ourAddresses(observed.addresses, pools), ({ addresses }) => addresses, addressText),
    routes: rest(observed.routes, ({ routes }) => routes, routeText),
    rules: rest(observed.rules, ({ rules }) => rules, ruleText),
    elements: [],
    linkSysctls: [],
  };
}

/** Only the name counts: it will be deleted. */
const doomedLink = ({ ifname, alias, mac, mtu, multicast, master }: ObservedLink): Link => ({
  kind: 'bridge',
  ifname,
  alias,
  mac,
  mtu,
  multicast,
  master,
});

/**
 * Ours are in the guests' address space (all of IPv4 where that is not told); the others stay: those of IPv6 come from the kernel itself
 * or from whoever gives guests IPv6, the rest from the operator.
 */
function ourAddresses(observed: readonly Address[], prefixes: readonly string[]): readonly Address[] {
  const pools = prefixes.flatMap((prefix) => parseCidr(prefix) ?? []);
  return observed.filter(({ cidr }) => {
    const address = parseCidr(cidr);
    return address !== null && pools.some((pool) => cidrContains(pool, address));
  });
}

/** Wanted as they are, but down: setting a link brings it up. */
function sleepingLinks(
  observed: Observed,
  want: Desired,
  { links, changedLinks }: Diff,
): Diff['changedLinks'] {
  const down = new Set(observed.links.filter(({ up }) => !up).map(({ ifname }) => ifname));
  const handled = new Set(
    [...links.added, ...changedLinks.map(({ link }) => link)].map(({ ifname }) => ifname),
  );
  return [...want.parts.values()]
    .flatMap((part) => part.links)
    .filter(({ ifname }) => down.has(ifname) && !handled.has(ifname))
    .map((link) => ({ link, was: link }));
}

function loadOver(observed: Observed, shape: Shape | null, elements: readonly Element[]): readonly Op[] {
  if (shape === null) return observed.table ? [{ do: 'nft.load', text: null, was: null }] : [];
  const text = rulesetText(shape, elements, staleChains(observed.chains ?? [], shape));
  return [{ do: 'nft.load', text, was: observed.table ? text : null }];
}

function sysctlRepairs(
  observed: Observed['sysctls'],
  want: Desired['sysctls'],
  originals: SysctlOriginals,
  written: RepairInput['written'],
): Steps['sysctls'] {
  const restore = [...written].toReversed().flatMap(([key, ours]): readonly Op[] => {
    const original = originals.get(key) ?? null;
    if (want.has(key) || original === null || original === ours || observed.get(key) !== ours) return [];
    return [{ do: 'sysctl.set', sysctl: { key, value: original }, was: ours, onlyIf: ours }];
  });
  const set = [...want].flatMap(([key, value]): readonly Op[] => {
    const now = observed.get(key);
    return now === undefined || now === value
      ? []
      : [{ do: 'sysctl.set', sysctl: { key, value }, was: now, onlyIf: null }];
  });
  return { restore, set };
}
