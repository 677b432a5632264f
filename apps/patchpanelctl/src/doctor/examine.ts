import type { Check } from './check';
import type { Facts } from './facts';
import type { Finding } from './finding';
import { firewall } from './firewall';
import { conntrack, ipv6, kernel, meddlers, network, reflector, sysctls, tun } from './host-checks';
import { bus, helpers, manager, managerWarnings, policy, privileges } from './service-checks';

/** All that the checks say, in the order in which one thing needs the other. */
export function examine(facts: Facts): readonly Finding[] {
  return CHECKS.flatMap((check) => check(facts));
}

const CHECKS: readonly Check[] = [
  privileges,
  bus,
  policy,
  manager,
  managerWarnings,
  helpers,
  tun,
  kernel,
  ipv6,
  sysctls,
  firewall,
  network,
  meddlers,
  conntrack,
  reflector,
];
