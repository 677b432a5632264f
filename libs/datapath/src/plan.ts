import type { Desired, Element, Link, Shape } from './desired';
import { diffParts, type Diff } from './diff';
import { chainNames } from './nft/ruleset';
import { rulesetText, staleChains } from './nft/render';
import type { Op } from './op';
import { ACCEPT_REDIRECTS, IP_FORWARD } from './sysctl-wishes';
import { elementKey } from './text';

/** Value of each sysctl before we touched it; null: this kernel has no such key. */
export type SysctlOriginals = ReadonlyMap<string, string | null>;

/**
 * The steps that lead from one state to the other; none when they are equal. First everything that goes, allow elements first, then
 * everything that comes, allow elements last. `originals` knows every sysctl of both states.
 */
export function plan(from: Desired, to: Desired, originals: SysctlOriginals): readonly Op[] {
  const diff = diffParts(from.parts, to.parts);
  const load = isSameShape(from.shape, to.shape) ? [] : [loadBetween(from, to, diff)];
  const sysctls = sysctlSteps(from.sysctls, to.sysctls, originals);
  const { deny, allow } = elementSteps(diff, load.length > 0);
  return inOrder({ diff, load, sysctls, deny, allow });
}

export interface Steps {
  readonly diff: Diff;
  /** The table, if its shape changes. */
  readonly load: readonly Op[];
  readonly sysctls: { readonly restore: readonly Op[]; readonly set: readonly Op[] };
  /** Elements to delete first. */
  readonly deny: readonly Element[];
  /** Elements to add, and old verdicts to replace, last. */
  readonly allow: { readonly add: readonly Element[]; readonly del: readonly Element[] };
}

/** Nothing is used before it is there, and nothing goes while it is used. */
export function inOrder({ diff, load, sysctls, deny, allow }: Steps): readonly Op[] {
  const ops: Op[] = [];
  const push = (op: Op): unknown => ops.push(op);
  if (deny.length > 0) push({ do: 'nft.elements', add: [], del: deny });
  eachBackwards(diff.rules.removed, (rule) => push({ do: 'rule.del', rule }));
  eachBackwards(diff.routes.removed, (route) => push({ do: 'route.del', route }));
  eachBackwards(diff.addresses.removed, (address) => push({ do: 'address.del', address }));
  each(looseLinks(diff), ({ was }) => push({ do: 'link.set', link: released(was), was }));
  eachBackwards(bridgesFirst(diff.links.removed), (link) =>
    push({ do: 'link.del', link, lost: diff.lost.get(link.ifname) ?? NOTHING_LOST }),
  );
  each(diff.netns.removed, (netns) => push({ do: 'netns.del', netns }));
  each(sysctls.restore, push);
  each(load, push);
  each(sysctls.set, push);
  each(diff.netns.added, (netns) => push({ do: 'netns.add', netns }));
  each(bridgesFirst(diff.links.added), (link) => push({ do: 'link.add', link }));
  each(linkChanges(diff), push);
  // `was` is the value itself: nothing is to be restored on a link that dies with its part.
  each(diff.linkSysctls, (sysctl) => push({ do: 'sysctl.set', sysctl, was: sysctl.value, onlyIf: null }));
  each(diff.addresses.added, (address) => push({ do: 'address.add', address }));
  each(diff.routes.added, (route) => push({ do: 'route.add', route }));
  each(diff.rules.added, (rule) => push({ do: 'rule.add', rule }));
  if (allow.add.length + allow.del.length > 0) push({ do: 'nft.elements', add: allow.add, del: allow.del });
  return ops;
}

/** By index: most lists are empty, and a list that is mapped and spread takes twice as long in code that runs seldom. */
function each<T>(things: readonly T[], visit: (thing: T) => unknown): void {
  for (let i = 0; i < things.length; i++) visit(things[i] as T);
}

function eachBackwards<T>(things: readonly T[], visit: (thing: T) => unknown): void {
  for (let i = things.length - 1; i >= 0; i--) visit(things[i] as T);
}

const NOTHING_LOST = { addresses: [], routes: [], linkSysctls: [] };

/** A port that outlives its bridge is released before the bridge goes, and attached anew after all links are there. */
function looseLinks({ changedLinks, links }: Diff): Diff['changedLinks'] {
  if (changedLinks.length === 0) return changedLinks;
  const gone = new Set(links.removed.map(({ ifname }) => ifname));
  return changedLinks.filter(({ was }) => was.master !== null && gone.has(was.master));
}

function linkChanges(diff: Diff): readonly Op[] {
  const loose = new Set(looseLinks(diff));
  return diff.changedLinks.map((change) => ({
    do: 'link.set',
    link: change.link,
    was: loose.has(change) ? released(change.was) : change.was,
  }));
}

const released = (link: Link): Link => ({ ...link, master: null });

/** Bridges come before their ports, and go after them. */
const bridgesFirst = (links: readonly Link[]): readonly Link[] =>
  links.length < 2
    ? links
    : links.toSorted((a, b) => Number(b.kind === 'bridge') - Number(a.kind === 'bridge'));

/** A new verdict replaces the old one in one batch; where the table is loaded anyway, its text does so. */
function elementSteps({ elements, changedElements }: Diff, loaded: boolean): Pick<Steps, 'deny' | 'allow'> {
  const changed = loaded ? { added: [], removed: [] } : changedElements;
  return {
    deny: elements.removed,
    allow: { add: changed.added.concat(elements.added), del: changed.removed },
  };
}

const isSameShape = (a: Shape | null, b: Shape | null): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

function loadBetween(from: Desired, to: Desired, { elements, changedElements }: Diff): Op {
  const removed = new Set(elements.removed.map(elementKey));
  const kept = elementsOf(from).filter((element) => !removed.has(elementKey(element)));
  const changed = new Map(changedElements.added.map((element) => [elementKey(element), element]));
  const text = (shape: Shape | null, content: readonly Element[], other: Shape | null): string | null =>
    shape === null
      ? null
      : rulesetText(shape, content, staleChains(other === null ? [] : chainNames(other), shape));
  return {
    do: 'nft.load',
    text: text(
      to.shape,
      kept.map((element) => changed.get(elementKey(element)) ?? element),
      from.shape,
    ),
    was: text(from.shape, kept, to.shape),
  };
}

const elementsOf = ({ parts }: Desired): readonly Element[] =>
  [...parts.values()].flatMap(({ elements }) => elements);

/** A host that listens to no redirects does so again when it no longer forwards. */
const NO_REDIRECTS: Op = {
  do: 'sysctl.set',
  sysctl: { key: ACCEPT_REDIRECTS, value: '0' },
  was: '1',
  onlyIf: '1',
};

/** Set in the order wanted, restored in reverse; a key that already holds the value, or does not exist, is left alone. */
function sysctlSteps(
  from: Desired['sysctls'],
  to: Desired['sysctls'],
  originals: SysctlOriginals,
): Steps['sysctls'] {
  if (from === to) return { restore: [], set: [] };
  const restore = [...from].toReversed().flatMap(([key, ours]): readonly Op[] => {
    const original = originals.get(key) ?? null;
    if (to.has(key) || original === null || original === ours) return [];
    const own: Op = { do: 'sysctl.set', sysctl: { key, value: original }, was: ours, onlyIf: ours };
    return key === IP_FORWARD && originals.get(ACCEPT_REDIRECTS) === '0' ? [own, NO_REDIRECTS] : [own];
  });
  const set = [...to].flatMap(([key, value]): readonly Op[] => {
    const original = originals.get(key) ?? null;
    const was = from.get(key) ?? original;
    if (original === null || was === null || was === value) return [];
    return [{ do: 'sysctl.set', sysctl: { key, value }, was, onlyIf: null }];
  });
  return { restore, set };
}
