import type { Desired, Element, Link, Shape } from './desired';
import { diffParts, type Diff } from './diff';
import { chainNames } from './nft/ruleset';
import { rulesetText, staleChains } from './nft/render';
import type { Op } from './op';
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
  return inOrder({ diff, load, sysctls, ...elementSteps(diff, load.length > 0) });
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
  // Not by spreads: each would be a loop of its own, and most of these are empty.
  return elementsOp([], deny).concat(
    diff.rules.removed.map((rule): Op => ({ do: 'rule.del', rule })).toReversed(),
    diff.routes.removed.map((route): Op => ({ do: 'route.del', route })).toReversed(),
    diff.addresses.removed.map((address): Op => ({ do: 'address.del', address })).toReversed(),
    linkSteps.detach(diff),
    linkSteps.del(diff),
    diff.netns.removed.map((netns): Op => ({ do: 'netns.del', netns })),
    sysctls.restore,
    load,
    sysctls.set,
    diff.netns.added.map((netns): Op => ({ do: 'netns.add', netns })),
    linkSteps.add(diff),
    linkSteps.set(diff),
    // `was` is the value itself: nothing is to be restored on a link that dies with its part.
    diff.linkSysctls.map((sysctl): Op => ({ do: 'sysctl.set', sysctl, was: sysctl.value, onlyIf: null })),
    diff.addresses.added.map((address): Op => ({ do: 'address.add', address })),
    diff.routes.added.map((route): Op => ({ do: 'route.add', route })),
    diff.rules.added.map((rule): Op => ({ do: 'rule.add', rule })),
    elementsOp(allow.add, allow.del),
  );
}

const elementsOp = (add: readonly Element[], del: readonly Element[]): readonly Op[] =>
  add.length + del.length === 0 ? [] : [{ do: 'nft.elements', add, del }];

/** Bridges come before their ports and go after them; a port that outlives its bridge is released first and attached last. */
const linkSteps = {
  detach: (diff: Diff): readonly Op[] =>
    looseLinks(diff).map(({ was }) => ({ do: 'link.set', link: released(was), was })),
  del: ({ links, lost }: Diff): readonly Op[] =>
    bridgesFirst(links.removed)
      .toReversed()
      .map((link) => ({ do: 'link.del', link, lost: lost.get(link.ifname) ?? NOTHING_LOST })),
  add: ({ links }: Diff): readonly Op[] =>
    bridgesFirst(links.added).map((link) => ({ do: 'link.add', link })),
  set: (diff: Diff): readonly Op[] => {
    if (diff.changedLinks.length === 0) return [];
    const loose = new Set(looseLinks(diff));
    return diff.changedLinks.map((change) => ({
      do: 'link.set',
      link: change.link,
      was: loose.has(change) ? released(change.was) : change.was,
    }));
  },
};

const NOTHING_LOST = { addresses: [], routes: [], linkSysctls: [] };

function looseLinks({ changedLinks, links }: Diff): Diff['changedLinks'] {
  if (changedLinks.length === 0) return changedLinks;
  const gone = new Set(links.removed.map(({ ifname }) => ifname));
  return changedLinks.filter(({ was }) => was.master !== null && gone.has(was.master));
}

const released = (link: Link): Link => ({ ...link, master: null });

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
    return [{ do: 'sysctl.set', sysctl: { key, value: original }, was: ours, onlyIf: ours }];
  });
  const set = [...to].flatMap(([key, value]): readonly Op[] => {
    const original = originals.get(key) ?? null;
    const was = from.get(key) ?? original;
    if (original === null || was === null || was === value) return [];
    return [{ do: 'sysctl.set', sysctl: { key, value }, was, onlyIf: null }];
  });
  return { restore, set };
}
