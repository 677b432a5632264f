import type { Forwarding, ForwardingPair } from '@pp/forwarding';
import type { DesiredGroup, DesiredGroups } from '../groups/desired-groups';

/** Groups as the manager wants them: one for each upstream, with the links of all guests that follow it. */
export class ManagerGroups implements DesiredGroups {
  /** null: it has not told yet. */
  #groups: readonly DesiredGroup[] | null = null;
  #onGroups: (groups: readonly DesiredGroup[]) => void = () => undefined;

  start(onGroups: (groups: readonly DesiredGroup[]) => void): void {
    this.#onGroups = onGroups;
    if (this.#groups !== null) onGroups(this.#groups);
  }

  /** What is to be relayed now. */
  tell({ pairs }: Pick<Forwarding, 'pairs'>): void {
    this.#groups = groupsOf(pairs);
    this.#onGroups(this.#groups);
  }
}

export function groupsOf(pairs: readonly ForwardingPair[]): readonly DesiredGroup[] {
  const groups = new Map<string, { downstreams: Set<string>; leavesDiscovery: boolean }>(); // BOUNDED: by the manager's guests
  for (const { upstream, downstream, ipv6, multicast } of pairs) {
    if (!ipv6) continue;
    const group = groups.get(upstream) ?? { downstreams: new Set(), leavesDiscovery: false };
    group.downstreams.add(downstream);
    group.leavesDiscovery ||= multicast;
    groups.set(upstream, group);
  }
  return [...groups].map(([upstream, { downstreams, leavesDiscovery }]) => ({
    name: upstream,
    upstream,
    downstreams: [...downstreams],
    leavesDiscovery,
  }));
}
