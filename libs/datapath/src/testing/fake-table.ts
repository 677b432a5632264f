import type { Element } from '../desired';
import { elementKey, elementValue } from '../text';
import { FakeRefusal, present, refuseIf } from './fake-refusal';

interface FakeChain {
  readonly hook: string;
  readonly rules: readonly string[];
}

interface FakeSet {
  readonly type: string;
  /** Key to verdict or value as text; empty in sets. */
  readonly elements: Map<string, string>;
}

/** One command of a ruleset text, "add rule inet patchpanel guard ...": verb, thing, name and rest. */
const COMMAND =
  /^(add|flush|delete) (table|counter|set|map|chain|rule|element) inet patchpanel ?(\S*) ?(.*)$/;
const JUMP = /\bjump ([^\s,}]+)/g;

/** `table inet patchpanel` as nftables holds it. Reads the commands that `rulesetText` writes, one a line, and no others. */
export class FakeTable {
  readonly #counters = new Set<string>();
  readonly #sets = new Map<string, FakeSet>();
  readonly #chains = new Map<string, FakeChain>();

  /** All of `text` over a former table, or a FakeRefusal and nothing. */
  static load(text: string, over: FakeTable | null): FakeTable {
    const table = over === null ? new FakeTable() : over.#copy();
    for (const line of text.split('\n')) if (line !== '') table.#run(line);
    return table;
  }

  /** One batch, deletions first: all of it, or a FakeRefusal and nothing. */
  withElements(add: readonly Element[], del: readonly Element[]): FakeTable {
    const table = this.#copy();
    for (const element of del) table.#delElement(element);
    for (const element of add) table.#addElement(element, 'new');
    return table;
  }

  get chainNames(): readonly string[] {
    return [...this.#chains.keys()];
  }

  /** Elements of all sets: `guests arc_ns0`, `guest_egress arc_ns0 : jump egress_default`. */
  get elements(): readonly string[] {
    return [...this.#sets].flatMap(([name, { elements }]) =>
      [...elements].map(([key, value]) => `${name} ${key}${value === '' ? '' : ` : ${value}`}`),
    );
  }

  dump(): readonly string[] {
    return [
      ...[...this.#counters].map((name) => `counter ${name}`),
      ...[...this.#sets].map(([name, { type }]) => `set ${name} ${type}`),
      ...[...this.#chains].map(([name, { hook, rules }]) => [`chain ${name} ${hook}`, ...rules].join('\n  ')),
      ...this.elements.map((element) => `element ${element}`),
    ].sort();
  }

  #copy(): FakeTable {
    const copy = new FakeTable();
    for (const name of this.#counters) copy.#counters.add(name);
    for (const [name, set] of this.#sets) copy.#sets.set(name, { ...set, elements: new Map(set.elements) });
    for (const [name, chain] of this.#chains) copy.#chains.set(name, chain);
    return copy;
  }

  #run(line: string): void {
    const [, verb = '', thing = '', name = '', rest = ''] = COMMAND.exec(line) ?? [];
    switch (`${verb} ${thing}`) {
      case 'add table':
        break;
      case 'delete table':
        for (const things of [this.#counters, this.#sets, this.#chains]) things.clear();
        break;
      case 'add counter':
        this.#counters.add(name);
        break;
      case 'add set':
      case 'add map':
        if (!this.#sets.has(name)) this.#sets.set(name, { type: rest, elements: new Map() });
        break;
      case 'add chain':
        if (!this.#chains.has(name)) this.#chains.set(name, { hook: rest, rules: [] });
        break;
      case 'add rule':
        this.#addRule(name, rest);
        break;
      case 'add element':
        for (const element of parseElements(name, rest)) this.#addElement(element, 'new or the same');
        break;
      case 'flush chain':
        this.#chains.set(name, { ...this.#chain(name), rules: [] });
        break;
      case 'flush set':
      case 'flush map':
        this.#set(name).elements.clear();
        break;
      case 'delete chain':
        this.#delChain(name);
        break;
      default:
        throw new FakeRefusal('EINVAL', `no command of ours: ${line}`);
    }
  }

  #addRule(name: string, rule: string): void {
    for (const target of jumpsOf(rule)) this.#chain(target);
    for (const [, set = ''] of rule.matchAll(/(?<!\w)@(\w+)/g)) this.#set(set); // "wg@home" is an interface
    for (const [, counter = ''] of rule.matchAll(/counter name "(\w+)"/g)) {
      refuseIf(!this.#counters.has(counter), 'ENOENT', `counter ${counter}`);
    }
    const chain = this.#chain(name);
    this.#chains.set(name, { ...chain, rules: [...chain.rules, rule] });
  }

  #delChain(name: string): void {
    const { rules } = this.#chain(name);
    const rulesOfAll = [...this.#chains.values()].flatMap((chain) => chain.rules);
    const verdicts = [...this.#sets.values()].flatMap(({ elements }) =>
      [...elements.values()].flatMap(jumpsOf),
    );
    const inUse = rulesOfAll.some((rule) => jumpsOf(rule).includes(name)) || verdicts.includes(name);
    refuseIf(inUse || rules.length > 0, 'EBUSY', `chain ${name}`);
    this.#chains.delete(name);
  }

  #addElement(element: Element, allowed: 'new' | 'new or the same'): void {
    const { set, key, jump } = element;
    const { elements } = this.#set(set);
    if (jump !== undefined) this.#chain(jump);
    const text = key.join(' . ');
    const there = elements.get(text);
    const isSame = allowed === 'new or the same' && there === elementValue(element);
    refuseIf(there !== undefined && !isSame, 'EEXIST', `${set} ${text}`);
    elements.set(text, elementValue(element));
  }

  #delElement(element: Element): void {
    const isThere = this.#set(element.set).elements.delete(element.key.join(' . '));
    refuseIf(!isThere, 'ENOENT', elementKey(element));
  }

  readonly #chain = (name: string): FakeChain => present(this.#chains.get(name), 'ENOENT', `chain ${name}`);

  readonly #set = (name: string): FakeSet => present(this.#sets.get(name), 'ENOENT', `set ${name}`);
}

const jumpsOf = (rule: string): readonly string[] =>
  [...rule.matchAll(JUMP)].map(([, target = '']) => target);

/** `{ "arc_ns0" . 10.0.0.1, "arc_ns1" . 10.0.0.5 }`. */
function parseElements(set: string, braced: string): readonly Element[] {
  const inner = present(/^\{ (.*) \}$/.exec(braced)?.[1], 'EINVAL', `elements of ${set}: ${braced}`);
  return inner.split(', ').map((text) => {
    const [key = '', value] = text.split(' : ');
    const fields = key.split(' . ').map((field) => field.replaceAll('"', ''));
    if (value === undefined) return { set, key: fields };
    const [jump] = jumpsOf(value);
    return { set, key: fields, ...(jump === undefined ? { data: value.split(' . ') } : { jump }) };
  });
}
