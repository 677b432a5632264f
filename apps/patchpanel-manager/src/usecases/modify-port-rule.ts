import { refuse, type Checked } from '@pp/base';
import { isIpv6Forwarding, type PortRule } from '@pp/datapath';
import { decided, type Decision } from '../domain/decision';
import { isSamePortRule, portRuleKey, type OwnedPortRule } from '../domain/port-rules';
import { portRuleQuotaFault } from '../domain/quotas';
import { withoutPortRule, withPortRule, type World } from '../domain/world';

/** ModifyPortRule CREATE (spec 10). What is there already is created again without a change. */
export function createPortRule(world: World, { rule, owner }: OwnedPortRule): Checked<Decision<null>> {
  const key = portRuleKey(rule);
  const there = world.portRules.get(key);
  if (there !== undefined && !isSamePortRule(there.rule, rule)) {
    return refuse(
      'AlreadyExists',
      `${describePort(rule)} is ${describeUse(there.rule)} already; close it first`,
    );
  }
  if (there !== undefined) return decided(world, null);
  const fault = portRuleQuotaFault(world, owner);
  if (fault !== null) return fault;
  return decided(withPortRule(world, { rule, owner }), null);
}

/** ModifyPortRule DELETE. A rule that is not there, or leads elsewhere, is refused. */
export function deletePortRule(world: World, rule: PortRule): Checked<Decision<null>> {
  const key = portRuleKey(rule);
  const there = world.portRules.get(key);
  if (there === undefined) return refuse('NotFound', `${describePort(rule)} is not ${describeUse(rule)}`);
  if (!isSamePortRule(there.rule, rule)) {
    return refuse(
      'NotFound',
      `${describePort(rule)} is ${describeUse(there.rule)}, not ${describeUse(rule)}`,
    );
  }
  return decided(withoutPortRule(world, there), null);
}

function describePort(rule: PortRule): string {
  const where = 'ifname' in rule && rule.ifname !== null ? ` on ${rule.ifname}` : '';
  return `${rule.protocol} port ${rule.port}${where}`;
}

function describeUse(rule: PortRule): string {
  switch (rule.type) {
    case 'access':
      return 'open';
    case 'lockdown':
      return 'locked';
    case 'forwarding':
      return `forwarded to ${isIpv6Forwarding(rule) ? `[${rule.to.address}]` : rule.to.address}:${rule.to.port}`;
  }
}
