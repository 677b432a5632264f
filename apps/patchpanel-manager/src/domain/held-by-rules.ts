/** What rules hold, beside what guests do (held.ts). */
import { purposeOf, type DnsRule } from './dns-rules';
import { forwardedPortText, portsOf } from './forwarded-ports';
import { tallied, tallyOf, type Held } from './held';
import type { OwnedPortRule } from './port-rules';

/** `held` when these port rules are gone and then those have come. */
export const heldAfterPortRules = (
  held: Held,
  gone: readonly OwnedPortRule[],
  come: readonly OwnedPortRule[],
): Held => tallied(held, gone.flatMap(talliesOfPortRule), come.flatMap(talliesOfPortRule));

const talliesOfPortRule = (owned: OwnedPortRule): readonly string[] => [
  tallyOf('port rule', owned.owner),
  ...portsOf(owned).map(forwardedPortText),
];

type Entry = readonly [key: string, rule: DnsRule];

/** `held` when these DNS redirections are gone and then those have come. */
export function heldAfterDnsRules(held: Held, gone: readonly Entry[], come: readonly Entry[]): Held {
  const goneKeys = new Set(gone.map(([key]) => key));
  const lists = new Map<string, string[]>(); // BOUNDED: by what goes and comes
  const listFor = ([, rule]: Entry): string[] => {
    const purpose = purposeOf(rule);
    const list = lists.get(purpose) ?? (held.dns.get(purpose) ?? []).filter((key) => !goneKeys.has(key));
    lists.set(purpose, list);
    return list;
  };
  for (const entry of gone) listFor(entry);
  for (const entry of come) listFor(entry).push(entry[0]);
  const all = [...lists];
  return {
    ...tallied(held, gone.map(tallyOfDnsRule), come.map(tallyOfDnsRule)),
    dns: held.dns.changed(
      all.filter(([, keys]) => keys.length > 0),
      all.filter(([, keys]) => keys.length === 0).map(([purpose]) => purpose),
    ),
  };
}

const tallyOfDnsRule = ([, { owner }]: Entry): string => tallyOf('DNS rule', owner);
