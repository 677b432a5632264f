import { dumpAddresses, dumpLinks, dumpRoutes, dumpRules, routeSubject, withHops } from '@pp/netlink';
import type { Route, RouteEvent, RouteSnapshot, Rule, Subject } from '@pp/netlink';
import { ROUTE_PROTOCOL } from '@pp/datapath';
import { crowdOf } from './crowded-routes';

// linux/rtnetlink.h
const RT_TABLE_DEFAULT = 253;
export const RT_TABLE_MAIN = 254;
const RT_TABLE_LOCAL = 255;
/** BOUNDED: so many tables of others are read. */
const MAX_TABLES = 16;

/** Of somebody else, and met by every packet, but perhaps those that bear one mark (wg-quick: `not fwmark 51820 lookup 51820`). */
export const meetsEveryPacket = (rule: Rule): boolean =>
  rule.protocol !== ROUTE_PROTOCOL &&
  rule.priority > 0 &&
  rule.table !== RT_TABLE_LOCAL &&
  rule.table !== RT_TABLE_DEFAULT &&
  (rule.table !== RT_TABLE_MAIN || rule.suppressPrefixLength !== null) &&
  [rule.from, rule.to, rule.iif, rule.oif].every((selector) => selector === null) &&
  (rule.fwmark === null || rule.inverted === true);

/** The tables that such rules lead to, where a default route beats main's. */
export const overridingTables = (rules: readonly Rule[]): readonly number[] =>
  [...new Set(rules.filter(meetsEveryPacket).map(({ table }) => table))]
    .filter((table) => table !== RT_TABLE_MAIN && table !== 0)
    .slice(0, MAX_TABLES);

/** The lowest priority of such a rule. */
export function firstForeignRule(rules: readonly Rule[]): number | undefined {
  const priorities = rules.filter(meetsEveryPacket).map(({ priority }) => priority);
  return priorities.length === 0 ? undefined : Math.min(...priorities);
}

export interface NetworkSnapshot extends RouteSnapshot {
  /** Of a table with more routes than MAX_ROUTES only some are here. */
  readonly isCrowded: boolean;
}

/** Links, addresses, rules, and the routes that decide where an unmarked packet of this host goes. */
export const networkSubject = (): Subject<NetworkSnapshot, RouteEvent> => ({
  ...routeSubject(['link', 'address', 'route', 'rule', 'nexthop']),
  snapshot: async (client) => {
    const links = await client.dump(dumpLinks());
    const addresses = await client.dump(dumpAddresses());
    const rules = await client.dump(dumpRules());
    let isCrowded = false;
    const crowd = crowdOf(() => {
      isCrowded = true;
    });
    const routes: (readonly Route[])[] = [];
    for (const table of [RT_TABLE_MAIN, ...overridingTables(rules)])
      routes.push(await client.dump(dumpRoutes({ table, crowd })));
    return {
      links,
      addresses,
      rules,
      routes: await withHops(client, routes.flat()),
      neighbors: [],
      isCrowded,
    };
  },
});
