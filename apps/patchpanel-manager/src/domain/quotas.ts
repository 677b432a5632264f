import { refuse, type Refusal } from '@pp/base';
import { subnetCount } from '@pp/datapath';
import { tallyOf } from './held';
import type { World } from './world';

/*
 * What one user may hold at most, so that nobody takes everything from the others. Users are told apart by their uid, as the bus says it:
 * a client that connects anew is the same one. Root may end the manager anyway, so of what is scarce for all it may take all. Calls in
 * flight, and the descriptors that come with them, have limits for each connection (libs/dbus, admission).
 */

/** Port rules of one user, root among them, and of all. */
export const MOST_PORT_RULES = { perUser: 4096, total: 16384 } as const;

/** Of a pool's subnets, and of the manager's descriptors. */
const SHARE = { subnets: 3 / 4, lifelines: 1 / 4 } as const;

/** Why `owner` may have no further guest of this kind; null where it may. */
export function guestQuotaFault(
  world: World,
  kind: 'namespace' | 'termina' | 'plugin',
  owner: number,
): Refusal | null {
  if (owner === 0) return null;
  const most = Math.ceil(subnetCount(world.pools.byKind[kind]) * SHARE.subnets);
  const held = world.held.tallies.get(tallyOf(kind, owner)) ?? 0;
  if (held < most) return null;
  const things = kind === 'namespace' ? 'connected namespaces' : `${kind} VMs`;
  return refuse(
    'ResourceExhausted',
    `uid ${owner} has ${held} ${things}, the most for one user: end one first`,
  );
}

/** Why `owner` may have no further port rule. */
export function portRuleQuotaFault({ portRules, held: { tallies } }: World, owner: number): Refusal | null {
  const { perUser, total } = MOST_PORT_RULES;
  const held = tallies.get(tallyOf('port rule', owner)) ?? 0;
  if (held >= perUser)
    return refuse(
      'ResourceExhausted',
      `uid ${owner} has ${held} port rules, the most for one user: delete one first`,
    );
  if (portRules.size >= total)
    return refuse(
      'ResourceExhausted',
      `there are ${portRules.size} port rules, the most for all users: delete one first`,
    );
  return null;
}

/** Why `owner` may have no further lifeline, each of which is an open descriptor of the manager: namespaces and DNS redirections have one. */
export function lifelineQuotaFault(
  { held: { tallies }, dnsRules, mostLifelines }: World,
  owner: number,
): Refusal | null {
  const watched = (tallies.get(tallyOf('namespace')) ?? 0) + dnsRules.size;
  if (watched >= mostLifelines)
    return refuse(
      'ResourceExhausted',
      `the manager watches ${watched} lifelines, as many as its limit of open files allows: end one first, or raise the limit`,
    );
  if (owner === 0) return null;
  const held =
    (tallies.get(tallyOf('namespace', owner)) ?? 0) + (tallies.get(tallyOf('DNS rule', owner)) ?? 0);
  const most = Math.floor(mostLifelines * SHARE.lifelines);
  if (held < most) return null;
  return refuse(
    'ResourceExhausted',
    `uid ${owner} has ${held} lifelines, the most for one user: end one first`,
  );
}
