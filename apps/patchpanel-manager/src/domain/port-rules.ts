import { isIpv6Forwarding, type PortRule } from '@pp/datapath';

/** A port rule and who asked for it; it lives until it is deleted (spec 10). */
export interface OwnedPortRule {
  readonly rule: PortRule;
  /** uid of the caller. */
  readonly owner: number;
}

/** What of a rule there can be only one of, for an operator and as the key of the journal: "port:forwarding eth0 tcp 80". */
export function portRuleKey(rule: PortRule): string {
  const what = `${rule.protocol} ${rule.port}`;
  switch (rule.type) {
    case 'access':
      return `${PORT_RULE_PREFIX}access ${rule.ifname ?? '*'} ${what}`;
    case 'lockdown':
      return `${PORT_RULE_PREFIX}lockdown ${what}`;
    case 'forwarding':
      return `${PORT_RULE_PREFIX}forwarding ${rule.ifname} ${rule.address ?? (isIpv6Forwarding(rule) ? '*6' : '*')} ${what}`;
  }
}

/** No guest's key begins so, and no interface's name has a blank or a `*`. */
export const PORT_RULE_PREFIX = 'port:';

/** Same key, same target. */
export function isSamePortRule(a: PortRule, b: PortRule): boolean {
  if (portRuleKey(a) !== portRuleKey(b)) return false;
  if (a.type !== 'forwarding' || b.type !== 'forwarding') return true;
  return a.to.address === b.to.address && a.to.port === b.to.port;
}
