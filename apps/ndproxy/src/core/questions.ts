import { millis, type Millis } from '@pp/base';
import { isLinkLocal } from '@pp/wire';
import { dropped } from './action';
import type { GroupState } from './group-state';
import { routerSolicitation, solicitation } from './our-messages';
import { askFor } from './pass-on';

// What a group asks in its own name, when it is due.

/** Asks again for what is not found yet; what waits for those that nobody answered for is dropped. */
export function askAgain(state: GroupState, now: Millis): void {
  const { ask, unresolved } = state.pending.due(now);
  for (const { address, asker, from } of ask)
    if (state.members.get(asker)?.solicits.take(now) === true) askFor(state, address, from, now);
  for (let i = 0; i < unresolved.length; i++) state.counters.settle(dropped('unresolved'));
}

/** Asks the routers of the upstream, if there is one now. */
export function solicitRouters(state: GroupState, now: Millis): void {
  const { left } = state.routerSolicits;
  const { upstream } = state;
  const interval = state.settings.limits.routerSolicitInterval;
  if (upstream !== undefined && !state.isDisabled(now))
    state.originate(upstream, routerSolicitation(upstream.link, upstream.linkLocal));
  state.routerSolicits = left > 1 ? { left: left - 1, dueAt: now + interval } : { left: 0, dueAt: Infinity };
}

/** Asks nodes of downstreams that were not heard for long whether they are there; the others are forgotten in time. */
export function probeNeighbors(state: GroupState, now: Millis): void {
  const { limits } = state.settings;
  for (const location of state.table.due(now)) {
    const { address, ifindex, mac, probes, heardAt } = location;
    const member = state.members.get(ifindex);
    if (member?.link.role !== 'downstream' || isLinkLocal(address)) {
      if (now - heardAt >= limits.forgetAfter) state.table.forget(address);
    } else if (probes >= limits.probes) {
      state.table.forget(address);
      if (location.certainty !== 'tentative') state.suspects.addSilent(location, now);
    } else if (member.linkLocal !== null && state.probes.take(now)) {
      state.originate(member, solicitation(member.link, member.linkLocal, address, mac));
      state.table.probed(address, millis(now + limits.probeInterval));
    }
  }
  state.probesDueAt = state.table.size > 0 ? now + 1000 : Infinity;
}

/** Asks for addresses that may be there. */
export function askSuspects(state: GroupState, now: Millis): void {
  for (const { address, ifindex, mac } of state.suspects.due(now)) {
    const member = state.members.get(ifindex);
    if (member === undefined || member.linkLocal === null || !member.isOpen(now)) continue;
    if (state.probes.take(now))
      state.originate(member, solicitation(member.link, member.linkLocal, address, mac));
  }
}
