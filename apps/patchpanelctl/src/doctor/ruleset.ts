/** The part of `nft -j list ruleset` that decides what is forwarded. What others wrote is read as far as it is known, and nothing is refused. */
import { isObject, objectIn, objects, word, type JsonObject } from '../json';

/** One statement of a rule: an object with one key, as libnftables-json(5) has it. */
export type Statement = JsonObject;

export interface FirewallRule {
  readonly handle: number;
  readonly statements: readonly Statement[];
}

export interface FirewallChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** null: other chains jump to it. */
  readonly hook: string | null;
  readonly policy: string;
  readonly rules: readonly FirewallRule[];
}

/** null: the text is no ruleset. */
export function chainsIn(text: string): readonly FirewallChain[] | null {
  const listed = objectIn(text)?.['nftables'];
  if (!Array.isArray(listed)) return null;
  const found = objects(listed);
  const rules = new Map<string, FirewallRule[]>(); // BOUNDED: by the text
  for (const { rule } of found) {
    if (!isObject(rule)) continue;
    const key = keyOf(rule['family'], rule['table'], rule['chain']);
    const { handle, expr } = rule;
    const known = rules.get(key) ?? [];
    known.push({ handle: Number(handle), statements: objects(expr) });
    rules.set(key, known);
  }
  return found.flatMap(({ chain }) => (isObject(chain) ? [chainOf(chain, rules)] : []));
}

function chainOf(chain: Statement, rules: ReadonlyMap<string, readonly FirewallRule[]>): FirewallChain {
  const { family, table, name, hook, policy } = chain;
  return {
    family: word(family),
    table: word(table),
    name: word(name),
    hook: typeof hook === 'string' ? hook : null,
    policy: typeof policy === 'string' ? policy : 'accept',
    rules: rules.get(keyOf(family, table, name)) ?? [],
  };
}

const keyOf = (...words: readonly unknown[]): string => words.map(word).join('\n');
