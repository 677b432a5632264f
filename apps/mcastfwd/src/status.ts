import { DROP_REASONS } from './core/drop-reason';
import { groupKey } from './core/group';
import { directionOf } from './core/policy';
import { forwardText } from './core/port-forward';
import type { McastService } from './mcast-service';

/** What `mcastfwd status` adds to what every service says. Of each group: received = forwarded + dropped. */
export function statusOf(service: McastService): object {
  const { relay, settings, ports, searches } = service;
  const { policy, groups } = settings;
  const counted = groups.map((group) => ({ group, counters: relay.counters(group) }));
  const sum = (of: (counters: (typeof counted)[number]['counters']) => number): number =>
    counted.reduce((total, { counters }) => total + of(counters), 0);
  return {
    direction: policy.direction,
    guests: policy.betweenGuests ? 'together' : 'apart',
    nat: policy.nat,
    location: policy.locations,
    filters: policy.filters.map(({ action, text }) => `${action} ${text}`),
    forwards: relay.policy.forwards.map(forwardText),
    received: sum(({ received }) => received),
    forwarded: sum(({ forwarded }) => forwarded),
    dropped: sum(({ droppedTotal }) => droppedTotal),
    waiting: relay.waiting,
    sessions: relay.sessions,
    sessionsRefused: searches.refused,
    refused: ports.refused,
    groups: counted.map(({ group, counters: { received, forwarded, droppedTotal, sent, sendFailures } }) => ({
      group: groupKey(group),
      protocol: group.kind,
      received,
      forwarded,
      dropped: droppedTotal,
      sent,
      sendFailures,
    })),
    members: memberRows(service),
    drops: counted.flatMap(({ group, counters }) =>
      counters.dropped.map(([reason, count]) => ({
        group: groupKey(group),
        reason,
        count,
        meaning: DROP_REASONS[reason],
      })),
    ),
  };
}

function memberRows({ relay, ports, settings }: McastService): readonly object[] {
  const { segments, guests, missing } = relay.topology;
  const present = [...segments.values()].map(({ ifindex, ifname }) => ({
    ifname,
    role: guests.has(ifindex) ? 'guest' : 'lan',
    direction: guests.has(ifindex) ? directionOf(settings.policy, ifname) : undefined,
    joinedWith: relay.topology.exits(ifindex).map(({ segment }) => segment.ifname),
    groups: ports.openOn(ifindex),
  }));
  return [...present, ...[...missing].map(([ifname, state]) => ({ ifname, role: state }))];
}
