/** The part of `nft -j list ruleset` that decides what is forwarded. What others wrote is read as far as it is known, and nothing is refused. */

/** One statement of a rule: an object with one key, as libnftables-json(5) has it. */
export type Statement = Readonly<Record<string, unknown>>;

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
  const listed = parsed(text)?.['nftables'];
  if (!Array.isArray(listed)) return null;
  const objects = (listed as readonly unknown[]).filter(isObject);
  const rules = new Map<string, FirewallRule[]>(); // BOUNDED: by the text
  for (const { rule } of objects) {
    if (!isObject(rule)) continue;
    const key = keyOf(rule['family'], rule['table'], rule['chain']);
    const { handle, expr } = rule;
    const statements = Array.isArray(expr) ? (expr as readonly unknown[]).filter(isObject) : [];
    const known = rules.get(key) ?? [];
    known.push({ handle: Number(handle), statements });
    rules.set(key, known);
  }
  return objects.flatMap(({ chain }) => (isObject(chain) ? [chainOf(chain, rules)] : []));
}

export const isObject = (value: unknown): value is Statement =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text: string): Statement | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : null;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return null;
  }
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

const word = (value: unknown): string => (typeof value === 'string' ? value : '');

const keyOf = (...words: readonly unknown[]): string => words.map(word).join('\n');
