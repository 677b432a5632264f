import type { Millis } from '@pp/base';
import { ipv6FromBytes, macFromBytes } from '@pp/wire';
import { DROP_REASONS, type DropReason } from './core/drop-reason';
import { macOf } from './core/keys';
import type { Member } from './core/member';
import type { Policy, Prefix } from './core/policy';
import type { GroupRunner } from './group-runner';
import type { ProxyService } from './proxy-service';

/** What `ndproxy status` adds to what every service says. */
export function statusOf(service: ProxyService): object {
  const runners = [...service.runners];
  const now = service.doors.clock.now();
  return {
    mode: service.settings.mode,
    loopPolicy: service.settings.loopPolicy,
    strict: service.settings.strict,
    ...service.settings.switches,
    ...policyRows(service.settings.policy),
    guard: service.guardFault ?? 'in place',
    warnings: warningsOf(service),
    groups: runners.map((runner) => groupRow(runner, now)),
    members: runners.flatMap((runner) => memberRows(runner, now)),
    neighbors: runners.flatMap((runner) => neighborRows(runner, now)),
    detours: runners.flatMap((runner) => detourRows(runner, now)),
    routers: runners.flatMap(({ group }) =>
      group.state.routers.all().map(({ address, until }) => ({
        group: group.state.settings.name,
        address: ipv6FromBytes(address),
        lifetimeSec: Math.max(0, Math.floor((until - now) / 1000)),
      })),
    ),
    routes: [...service.routes.installed],
    routeFailures: service.routes.failures,
    multicastGroups: service.joins.size,
    multicastRefused: service.joins.refused,
    drops: runners.flatMap(dropRows),
  };
}

const policyRows = ({ onlyPrefixes, notPrefixes, dadIgnore, raWithout }: Policy): object => ({
  onlyPrefixes: onlyPrefixes.map(prefixText),
  notPrefixes: notPrefixes.map(prefixText),
  dadIgnore: [...dadIgnore].map((mac) => macFromBytes(macOf(mac))),
  raWithout: [...raWithout],
});

const prefixText = ({ prefix, length }: Prefix): string => `${ipv6FromBytes(prefix)}/${length}`;

/** received = forwarded + local + dropped + waiting. */
function groupRow(runner: GroupRunner, now: number): object {
  const { group, sendFailures, desired } = runner;
  const { counters, pending, disabledUntil } = group.state;
  const { received, forwarded, local, sent, originated } = counters;
  return {
    name: desired.name,
    upstream: desired.upstream,
    state:
      now < disabledUntil ? `off for ${minutesUntil(disabledUntil, now)} min: another proxy was heard` : 'on',
    received,
    forwarded,
    local,
    dropped: counters.droppedTotal,
    waiting: pending.waiting,
    sent,
    originated,
    sendFailures,
    missedSinceLastAsked: runner.missed(),
  };
}

function memberRows({ group, desired, missing }: GroupRunner, now: number): readonly object[] {
  const present = [...group.state.members.values()].map((member) => ({
    group: desired.name,
    ifname: member.link.ifname,
    role: member.link.role,
    state: stateOf(member, now),
    received: member.received,
    sent: member.sent,
  }));
  const absent = [...missing].map(([ifname, state]) => ({ group: desired.name, ifname, state }));
  return [...present, ...absent];
}

function stateOf({ gate, disabledUntil }: Member, now: number): string {
  if (now < disabledUntil) return `off for ${minutesUntil(disabledUntil, now)} min`;
  return gate.isOpen || now >= gate.opensAt ? 'open' : 'waits for router advertisements';
}

const minutesUntil = (until: number, now: number): number => Math.ceil((until - now) / 60_000);

const neighborRows = ({ group, desired }: GroupRunner, now: number): readonly object[] =>
  [...group.state.table.entries()].map(({ address, ifindex, mac, certainty, heardAt }) => ({
    group: desired.name,
    address: ipv6FromBytes(address),
    ifname: group.state.members.get(ifindex)?.link.ifname,
    mac: mac === null ? null : macFromBytes(mac),
    certainty,
    idleSec: Math.floor((now - heardAt) / 1000),
  }));

/** Stations that bring what was sent on one segment to another, and are believed less. */
const detourRows = ({ group, desired }: GroupRunner, now: Millis): readonly object[] =>
  group.state.detours.known(now).map(([station, { from, to, since, seenAt, times }]) => ({
    group: desired.name,
    mac: macFromBytes(macOf(station)),
    from,
    to,
    times,
    sinceSec: Math.floor((now - since) / 1000),
    idleSec: Math.floor((now - seenAt) / 1000),
  }));

const dropRows = ({ group, desired }: GroupRunner): readonly object[] =>
  Object.entries(group.state.counters.dropped).map(([reason, count]) => ({
    group: desired.name,
    reason,
    count,
    meaning: DROP_REASONS[reason as DropReason],
  }));

/** Settings of the kernel under which proxying cannot work. */
export const warningsOf = (service: ProxyService): readonly string[] => [
  ...portWarnings(service),
  ...forwardingWarnings(service),
];

/** What comes in on the port of a bridge is the bridge's: no route by the port leads to the guest. */
function portWarnings({ view: { links }, runners }: ProxyService): readonly string[] {
  const members = new Set([...runners].flatMap(({ group }) => [...group.state.members.keys()]));
  return links.flatMap(({ ifindex, ifname, master }) => {
    const holder = members.has(ifindex) ? links.find((link) => link.ifindex === master)?.ifname : undefined;
    return holder === undefined ? [] : [`${ifname} is a port of ${holder}: name ${holder} in its place`];
  });
}

function forwardingWarnings({ settings, doors, runners }: ProxyService): readonly string[] {
  const upstreams = [...runners].flatMap(({ group }) => group.state.upstream?.link.ifname ?? []);
  if (settings.mode !== 'route' || upstreams.length === 0) return [];
  const forwards =
    doors.sysctl('net/ipv6/conf/all/forwarding') === '1' ||
    upstreams.every((ifname) => doors.sysctl(`net/ipv6/conf/${ifname}/force_forwarding`) === '1');
  return [
    ...(forwards
      ? []
      : [
          'this host does not forward IPv6: set net.ipv6.conf.all.forwarding=1, after accept_ra=2 on the upstream',
        ]),
    ...upstreams
      .filter((ifname) => forwards && doors.sysctl(`net/ipv6/conf/${ifname}/accept_ra`) === '1')
      .map(
        (ifname) => `${ifname} ignores router advertisements while this host forwards: set its accept_ra=2`,
      ),
  ];
}
