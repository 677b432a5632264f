import type { Address, Desired, Element, Link, Netns, Part, Route, Rule, Sysctl } from './desired';
import { setNamed } from './nft/sets';
import type { Lost } from './op';
import { ifnameOfSysctl } from './sysctl-keys';
import {
  addressText,
  attributesText,
  elementKey,
  elementValue,
  identityText,
  netnsText,
  routeText,
  ruleText,
  sysctlText,
} from './text';

/** What is in one state and not in the other, each in the order of its state. */
export interface Delta<T> {
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/** What differs in the parts that changed, with all that follows from a link's coming and going worked out. */
export interface Diff {
  readonly netns: Delta<Netns>;
  /** A link that becomes another one under the same name is removed and added. */
  readonly links: Delta<Link>;
  /** Same link, other attributes; or its bridge is removed, so that it must be attached anew. */
  readonly changedLinks: readonly { readonly link: Link; readonly was: Link }[];
  /** What goes with a removed link is in `lost`, not here; what must be put on an added link is here. */
  readonly addresses: Delta<Address>;
  readonly routes: Delta<Route>;
  readonly rules: Delta<Rule>;
  readonly elements: Delta<Element>;
  /** Same key, other verdict or value. */
  readonly changedElements: Delta<Element>;
  /** To be written; they are never restored. */
  readonly linkSysctls: readonly Sysctl[];
  readonly lost: ReadonlyMap<string, Lost>;
}

/**
 * Parts are disjoint: no two want the same thing, and what names a link of ours stands in that link's part. So those that are
 * equal by reference need no look.
 */
export function diffParts(from: Desired['parts'], to: Desired['parts']): Diff {
  const before = partsBeside(from, to);
  const after = partsBeside(to, from);
  return before.length === 0 ? arrival(merged(after)) : diffPart(merged(before), merged(after));
}

const partsBeside = (one: Desired['parts'], other: Desired['parts']): readonly Part[] =>
  one.beside(other).map(([, part]) => part);

/** Of what is new altogether, nothing is there that it could differ from. */
const arrival = (part: Part): Diff => ({
  netns: allNew(part.netns),
  links: allNew(part.links),
  changedLinks: [],
  addresses: allNew(part.addresses),
  routes: allNew(part.routes),
  rules: allNew(part.rules),
  elements: allNew(part.elements),
  changedElements: allNew([]),
  linkSysctls: part.linkSysctls,
  lost: new Map(),
});

const allNew = <T>(added: readonly T[]): Delta<T> => ({ removed: [], added });

function diffPart(from: Part, to: Part): Diff {
  const netns = delta(from.netns, to.netns, netnsText);
  const links = linkDelta(from.links, to.links, new Set(netns.added.map(({ name }) => name)));
  const gone = new Set(links.removed.map(({ ifname }) => ifname));
  const onGone = onLinks(gone);
  const addresses = delta(from.addresses, to.addresses, addressText, onGone.address);
  const routes = delta(from.routes, to.routes, routeText, onGone.route);
  return {
    netns,
    links,
    changedLinks: changedLinks(from.links, to.links, gone),
    addresses: { ...addresses, removed: addresses.removed.filter((address) => !onGone.address(address)) },
    routes: { ...routes, removed: routes.removed.filter((route) => !onGone.route(route)) },
    rules: delta(from.rules, to.rules, ruleText),
    elements: delta(from.elements, to.elements, elementKey, onGone.element),
    changedElements: changedElements(from.elements, to.elements, onGone.element),
    linkSysctls: delta(from.linkSysctls, to.linkSysctls, sysctlText, onGone.sysctl).added,
    lost: lostWith(gone, from),
  };
}

const NO_PART: Part = {
  netns: [],
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  elements: [],
  linkSysctls: [],
};

/** Mostly there is one, or none. */
const merged = (parts: readonly Part[]): Part => (parts.length > 1 ? allOf(parts) : (parts[0] ?? NO_PART));

const allOf = (parts: readonly Part[]): Part => ({
  netns: parts.flatMap(({ netns }) => netns),
  links: parts.flatMap(({ links }) => links),
  addresses: parts.flatMap(({ addresses }) => addresses),
  routes: parts.flatMap(({ routes }) => routes),
  rules: parts.flatMap(({ rules }) => rules),
  elements: parts.flatMap(({ elements }) => elements),
  linkSysctls: parts.flatMap(({ linkSysctls }) => linkSysctls),
});

/** Things are equal when their texts are; what is `renewed` is removed and added although it stays. */
function delta<T>(
  from: readonly T[],
  to: readonly T[],
  text: (thing: T) => string,
  renewed: (thing: T) => boolean = () => false,
): Delta<T> {
  if (from.length === 0 || to.length === 0) return { removed: from, added: to };
  const [before, after] = [new Set(from.map(text)), new Set(to.map(text))];
  return {
    removed: from.filter((thing) => renewed(thing) || !after.has(text(thing))),
    added: to.filter((thing) => renewed(thing) || !before.has(text(thing))),
  };
}

/** A veth dies with its peer's namespace, so one whose namespace is new is new. */
function linkDelta(from: readonly Link[], to: readonly Link[], newNetns: ReadonlySet<string>): Delta<Link> {
  const isNew = (link: Link): boolean => link.kind === 'veth' && newNetns.has(link.peer.netns);
  const renewed = new Set(to.filter(isNew).map(({ ifname }) => ifname));
  return delta(from, to, identityText, ({ ifname }) => renewed.has(ifname));
}

function changedLinks(
  from: readonly Link[],
  to: readonly Link[],
  gone: ReadonlySet<string>,
): Diff['changedLinks'] {
  const before = new Map(from.map((link) => [link.ifname, link]));
  return to.flatMap((link) => {
    const was = before.get(link.ifname);
    if (was === undefined || gone.has(link.ifname)) return [];
    const loose = was.master !== null && gone.has(was.master);
    return loose || attributesText(was) !== attributesText(link) ? [{ link, was }] : [];
  });
}

function changedElements(
  from: readonly Element[],
  to: readonly Element[],
  renewed: (element: Element) => boolean,
): Delta<Element> {
  if (from.length === 0 || to.length === 0) return { removed: [], added: [] };
  const before = new Map(from.map((element) => [elementKey(element), element]));
  const pairs = to.flatMap((element) => {
    const was = before.get(elementKey(element));
    if (was === undefined || renewed(element)) return [];
    return elementValue(was) === elementValue(element) ? [] : [{ element, was }];
  });
  return { removed: pairs.map(({ was }) => was), added: pairs.map(({ element }) => element) };
}

/** By link, in one pass: many links may go at once. */
function lostWith(gone: ReadonlySet<string>, from: Part): ReadonlyMap<string, Lost> {
  const onIt = (ifname: string | null): ifname is string => ifname !== null && gone.has(ifname);
  const addresses = groupedBy(from.addresses, ({ ifname }) => ifname, onIt);
  const routes = groupedBy(from.routes, ({ dev }) => dev, onIt);
  const linkSysctls = groupedBy(from.linkSysctls, ({ key }) => ifnameOfSysctl(key), onIt);
  const lost = (ifname: string): Lost => ({
    addresses: addresses.get(ifname) ?? [],
    routes: routes.get(ifname) ?? [],
    linkSysctls: linkSysctls.get(ifname) ?? [],
  });
  return new Map([...gone].map((ifname) => [ifname, lost(ifname)]));
}

function groupedBy<T>(
  things: readonly T[],
  linkOf: (thing: T) => string | null,
  isWanted: (ifname: string | null) => ifname is string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const ifname = linkOf(thing);
    if (!isWanted(ifname)) continue;
    const group = groups.get(ifname) ?? [];
    group.push(thing);
    groups.set(ifname, group);
  }
  return groups;
}

/** Tells what names one of these links. */
export function onLinks(names: ReadonlySet<string>): {
  readonly address: (address: Address) => boolean;
  readonly route: (route: Route) => boolean;
  readonly sysctl: (sysctl: Sysctl) => boolean;
  readonly element: (element: Element) => boolean;
} {
  return {
    address: ({ ifname }) => names.has(ifname),
    route: ({ dev }) => dev !== null && names.has(dev),
    sysctl: ({ key }) => names.has(ifnameOfSysctl(key) ?? ''),
    element: ({ set, key }) => setNamed(set).fields[0] === 'ifname' && names.has(key[0] ?? ''),
  };
}
