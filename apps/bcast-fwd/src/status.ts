import { ipv4FromNumber } from '@pp/wire';
import { DROP_REASONS } from './core/drop-reason';
import type { RelayLink } from './core/link';
import type { RelayService } from './relay-service';

/** What `bcast-fwd status` adds to what every service says. received = forwarded + dropped + waiting. */
export function statusOf(service: RelayService): object {
  const { counters, topology } = service.relay;
  return {
    received: counters.received,
    forwarded: counters.forwarded,
    dropped: counters.droppedTotal,
    waiting: counters.waiting,
    sendFailures: service.sendFailures,
    missed: service.missed(),
    replies: counters.replies,
    repliesDropped: counters.repliesDropped,
    sessions: service.sessions.size,
    sessionsRefused: service.sessions.refused,
    interfaces: [
      ...[...topology.links.values()].map((link) => linkRow(link, service.hears(link.ifindex))),
      ...[...service.missing].map(([ifname, state]) => ({ ifname, state })),
    ],
    pairs: service.pairs.all(),
    drops: [...counters.dropped].map(([reason, count]) => ({ reason, count, meaning: DROP_REASONS[reason] })),
  };
}

const linkRow = ({ ifname, role, addresses, mac, targets }: RelayLink, isHeard: boolean): object => ({
  ifname,
  state: isHeard ? 'relayed' : 'refused', // by the kernel; tried again every second
  role,
  addresses: addresses.map(({ address }) => ipv4FromNumber(address)),
  ethernet: mac !== null,
  targets: targets.map(ipv4FromNumber),
});
