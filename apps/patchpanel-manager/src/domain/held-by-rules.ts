/** What rules hold, beside what guests do (held.ts). */
import type { SharedMap } from '@pp/base';
import { count } from './count';
import { purposeOf, type DnsRule } from './dns-rules';
import { forwardedPortText, portsOf } from './forwarded-ports';
import { tallyOf, type Held } from './held';
import type { OwnedPortRule } from './port-rules';

/** `held` when these port rules are gone and then those have come. */
export function heldAfterPortRules(
  held: Held,
  gone: readonly OwnedPortRule[],
  come: readonly OwnedPortRule[],
): Held {
  const tallies = new Map(held.tallies);
  const ports = new Map<string, number>(); // BOUNDED: by what goes and comes
  const see = (owned: OwnedPortRule, by: 1 | -1): void => {
    count(tallies, tallyOf('port rule', owned.owner), by);
    for (const text of portsOf(owned).map(forwardedPortText))
      ports.set(text, (ports.get(text) ?? held.ports.get(text) ?? 0) + by);
  };
  for (const owned of gone) see(owned, -1);
  for (const owned of come) see(owned, 1);
  return { ...held, tallies, ports: withoutEmpty(held.ports, ports, (left) => left === 0) };
}

/** `map` with `changed`, of which nothing is kept that is empty. */
function withoutEmpty<T>(
  map: SharedMap<string, T>,
  changed: ReadonlyMap<string, T>,
  isEmpty: (value: T) => boolean,
): SharedMap<string, T> {
  const all = [...changed];
  return map.changed(
    all.filter(([, value]) => !isEmpty(value)),
    all.filter(([, value]) => isEmpty(value)).map(([key]) => key),
  );
}

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
  const tallies = new Map(held.tallies);
  for (const entry of gone) {
    listFor(entry);
    count(tallies, tallyOfDnsRule(entry), -1);
  }
  for (const entry of come) {
    listFor(entry).push(entry[0]);
    count(tallies, tallyOfDnsRule(entry), 1);
  }
  return {
    ...held,
    tallies,
    dns: withoutEmpty<readonly string[]>(held.dns, lists, (keys) => keys.length === 0),
  };
}

const tallyOfDnsRule = ([, { owner }]: Entry): string => tallyOf('DNS rule', owner);
