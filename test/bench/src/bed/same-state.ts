import { hostListing, listingDifference, Place, type HostListing } from '@pp/lab';
import { atMost, type Row } from '../report/row';
import type { Machine } from './bed';

/**
 * What a machine, and a client's namespace if there is one, were told about the network, before and after a connect or start: the
 * facts that it added.
 */
export async function addedBy(
  machine: Machine,
  pid: number | null,
  connect: () => Promise<unknown>,
): Promise<HostListing> {
  const inside = pid === null ? null : new Place(`pid ${pid}`, pid, {});
  const list = async (): Promise<HostListing> => [
    ...(await hostListing(machine.host)).map((fact) => `host ${withoutLinkLocal(fact)}`),
    ...(inside === null ? [] : (await hostListing(inside)).map((fact) => `inside ${withoutLinkLocal(fact)}`)),
  ];
  const before = await list();
  await connect();
  const added = listingDifference(before, await list()).filter((line) => line.startsWith('+ '));
  return added.filter(isToldByUs).map(comparable).sort();
}

/** The kernel's own doing: link-local addresses and what follows from them, which duplicate address detection delays. */
const isToldByUs = (fact: string): boolean => !/ route6 .*"(fe80|ff00|multicast)/.test(fact);

/** Their duplicate address detection ends when it will, also on links that are long there. */
const withoutLinkLocal = (fact: string): string => fact.replace(/,?\{[^{}]*"local":"fe80:[^{}]*\}/g, '');

/** Without what differs between two equal connects: MACs, indexes, identifiers, carrier, and the tag's text. */
function comparable(fact: string): string {
  return fact
    .replace(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC')
    .replace(/"(ifindex|link_index|link_netnsid)":\d+/g, '"$1":N')
    .replace(/"link":"[^"]*"/g, '"link":L')
    .replace(/"NO-CARRIER",|"linkdown"/g, '') // a TAP has lost its user, which the kernel notices up to a second later
    .replace(/"(operstate)":"(UNKNOWN|DOWN)"/g, '"$1":IDLE')
    .replace(/"(ifalias)":"[^"]*"/g, '"$1":TEXT')
    .replace(/(stable_secret|base_reachable_time\w*|nf_conntrack_count) = .*/g, '$1');
}

/** Facts that the floor adds and the manager does not would make the floor no floor. What the manager adds beyond is named. */
export function lackedFacts(name: string, what: string, ours: HostListing, floor: HostListing): Row {
  const missing = floor.filter((fact) => !ours.some((own) => subjectOf(own) === subjectOf(fact)));
  const beyond = ours.filter((fact) => !floor.includes(fact));
  return {
    name: `${name}: facts of the floor that we lack`,
    measured: missing.length,
    unit: '',
    goal: atMost(0),
    spread: null,
    details: [
      `one ${what} adds ${ours.length} facts about links, addresses, routes, rules, elements and sysctls by us, ${floor.length} by the floor`,
      ...missing.map((fact) => `the floor's alone: ${fact}`),
      ...beyond.map((fact) => `ours alone: ${fact}`),
    ],
  };
}

/** A sysctl is there with every link: what we set differs from what the floor leaves at its default. */
const subjectOf = (fact: string): string => fact.replace(/( sysctl \S+) = .*/, '$1');
