import type { Checked } from '@pp/base';
import { decided, type Decision } from '../domain/decision';
import { dnsRuleKey, type DnsRule } from '../domain/dns-rules';
import { lifelineQuotaFault } from '../domain/quotas';
import { withDnsRule, type World } from '../domain/world';

/** SetDnsRedirectionRule (spec 3.9). Replies with the rule's key, which its lifeline is held under. */
export function redirectDns(world: World, rule: DnsRule): Checked<Decision<string>> {
  const fault = lifelineQuotaFault(world, rule.owner);
  if (fault !== null) return fault;
  const number = world.nextDnsRule;
  return decided(withDnsRule(world, number, rule), dnsRuleKey(number));
}
