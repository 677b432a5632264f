import { invariant } from '@pp/base';
import type { Element, Shape } from '../desired';
import { TABLE } from '../tags';
import { elementValue } from '../text';
import { chainNames, ruleset } from './ruleset';
import type { Chain } from './rules';
import { ALL_SETS, setNamed, type Field, type SetSpec } from './sets';

const HERE = `inet ${TABLE}`;

/**
 * The whole table as one `nft -f` transaction that may be loaded over any former state of it: what exists stays (counters keep their
 * values), chains and sets are emptied and filled anew, and at no moment is there less than before or after. `elements` are
 * those of guests; `stale` names chains of former shapes that must go. One command a line.
 */
export function rulesetText(shape: Shape, elements: Iterable<Element>, stale: readonly string[]): string {
  const { counters, chains, elements: own } = ruleset(shape);
  const lines = [
    `add table ${HERE}`,
    ...counters.map((name) => `add counter ${HERE} ${name}`),
    ...ALL_SETS.map(declareSet),
    ...chains.map(declareChain),
    ...stale.map((name) => `add chain ${HERE} ${name}`), // so that deleting it cannot fail
    ...chains.map(({ name }) => `flush chain ${HERE} ${name}`),
    ...stale.map((name) => `flush chain ${HERE} ${name}`),
    ...ALL_SETS.map(({ kind, name }) => `flush ${kind === 'set' ? 'set' : 'map'} ${HERE} ${name}`),
    ...stale.map((name) => `delete chain ${HERE} ${name}`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${HERE} ${name} ${rule}`)),
    ...addElements([...own, ...elements]),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * The same in the place of whatever the table holds, and with it whatever others put there: one transaction, too, but counters start
 * from zero. For a table that cannot be loaded over.
 */
export const replacedRulesetText = (shape: Shape, elements: Iterable<Element>): string =>
  [`add table ${HERE}`, `delete table ${HERE}`, rulesetText(shape, elements, [])].join('\n');

/** Chains of `before` that `after` has no more. */
export function staleChains(before: readonly string[], after: Shape): readonly string[] {
  const kept = new Set(chainNames(after));
  return before.filter((name) => !kept.has(name));
}

/** One element as nft writes it: `"arc_ns0" . 100.115.92.130`, `"arc_ns0" : jump egress_default`, `"eth0" : 10.0.0.1`. */
export function elementText(element: Element): string {
  const { set, key, jump, data = [] } = element;
  const { fields, data: dataFields, kind } = setNamed(set);
  invariant(key.length === fields.length, `an element of ${set} has ${fields.length} fields`);
  invariant((jump !== undefined) === (kind === 'vmap'), `only verdict maps jump: ${set}`);
  invariant(data.length === dataFields.length, `a value of ${set} has ${dataFields.length} fields`);
  const text = fields.map((field, i) => fieldText(field, key[i] ?? '')).join(' . ');
  return kind === 'set' ? text : `${text} : ${elementValue(element)}`;
}

const fieldText = (field: Field, text: string): string => (field === 'ifname' ? `"${text}"` : text);

function declareSet({ kind, name, fields, data, over }: SetSpec): string {
  const type = fields.join(' . ');
  const measure = over === undefined ? '' : ` ${over};`;
  if (kind === 'set') return `add set ${HERE} ${name} { type ${type};${measure} }`;
  return `add map ${HERE} ${name} { type ${type} : ${kind === 'vmap' ? 'verdict' : data.join(' . ')}; }`;
}

const declareChain = ({ name, hook }: Chain): string =>
  hook === null ? `add chain ${HERE} ${name}` : `add chain ${HERE} ${name} { ${hook} }`;

function addElements(elements: readonly Element[]): readonly string[] {
  const bySet = new Map<string, string[]>();
  for (const element of elements) {
    const texts = bySet.get(element.set) ?? [];
    texts.push(elementText(element));
    bySet.set(element.set, texts);
  }
  return [...bySet].map(([name, texts]) => `add element ${HERE} ${name} { ${texts.join(', ')} }`);
}
