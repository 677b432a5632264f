import { hostListing, listingDifference, Place, type HostListing } from '@pp/lab';
import type { Machine } from './bed';

/** What a machine and a client's namespace were told about the network, before and after a connect: the facts that it added. */
export async function addedBy(
  machine: Machine,
  pid: number,
  connect: () => Promise<unknown>,
): Promise<HostListing> {
  const inside = new Place(`pid ${pid}`, pid, {});
  const list = async (): Promise<HostListing> => [
    ...(await hostListing(machine.host)).map((fact) => `host ${fact}`),
    ...(await hostListing(inside)).map((fact) => `inside ${fact}`),
  ];
  const before = await list();
  await connect();
  const added = listingDifference(before, await list()).filter((line) => line.startsWith('+ '));
  return added.filter(isToldByUs).map(comparable).sort();
}

/** The kernel's own doing: link-local addresses and what follows from them, which duplicate address detection delays. */
const isToldByUs = (fact: string): boolean => !/ route6 .*"(fe80|ff00|multicast)/.test(fact);

/** Without what differs between two equal connects: MACs, indexes, identifiers, link-local addresses, and the tag's text. */
function comparable(fact: string): string {
  return fact
    .replace(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC')
    .replace(/"(ifindex|link_index|link_netnsid)":\d+/g, '"$1":N')
    .replace(/"link":"[^"]*"/g, '"link":L')
    .replace(/,?\{[^{}]*"local":"fe80:[^{}]*\}/g, '')
    .replace(/"(ifalias)":"[^"]*"/g, '"$1":TEXT')
    .replace(/(stable_secret|base_reachable_time\w*|nf_conntrack_count) = .*/g, '$1');
}
