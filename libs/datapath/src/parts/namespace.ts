import type { Element, Part, Sysctl, Veth } from '../desired';
import type { TrafficSource } from '../marks';
import { namespaceNames, type NamespaceNames } from '../names';
import type { Egress } from '../nft/chains';
import { SETS } from '../nft/sets';
import { hostAt } from '../pools';
import { linkSysctl } from '../sysctl-keys';
import { ALIAS_PREFIX } from '../tags';
import { guestElements } from './guest-elements';

/** A namespace connected by ConnectNamespace (spec/patchpanel.md 11), with all choices made. */
export interface NamespacePart {
  /** N of arc_nsN, vethN and connected_netns_N. */
  readonly number: number;
  /** Network address with prefix length: "100.115.92.128/30". */
  readonly subnet: string;
  readonly hostMac: string;
  readonly peerMac: string;
  /** The client's process and the inode of its namespace; null: the namespace is ours. */
  readonly client: { readonly pid: number; readonly inode: number } | null;
  readonly egress: Egress;
  readonly source: TrafficSource;
  /** Guests and the namespace reach each other. */
  readonly allowUserTraffic: boolean;
  /** Where the kernel can forward IPv6 for one interface alone; else the caller has switched it on for all. */
  readonly forceForwarding: boolean;
  /** Of both ends; null: as the kernel made it, or as it is. */
  readonly mtu?: number | null;
}

export function namespacePart(spec: NamespacePart): Part {
  const ends = endsOf(spec);
  return {
    netns: [{ name: ends.netns, from: spec.client }],
    links: [namespaceLink(spec, ends)],
    addresses: [{ ifname: ends.host, cidr: ends.gateway + ends.length }],
    routes: [],
    rules: [],
    elements: namespaceElements(spec, ends),
    linkSysctls: guestLinkSysctls(ends.host, spec.forceForwarding),
  };
}

/** What follows from the number and the subnet. */
interface Ends extends NamespaceNames {
  /** Addresses of the host's end and the other one. */
  readonly gateway: string;
  readonly address: string;
  /** "/30". */
  readonly length: string;
}

function endsOf({ number, subnet }: NamespacePart): Ends {
  const { netns, host, peer } = namespaceNames(number);
  const length = subnet.slice(subnet.indexOf('/'));
  return { netns, host, peer, gateway: hostAt(subnet, 0), address: hostAt(subnet, 1), length };
}

const namespaceLink = (
  { number, hostMac, peerMac, mtu = null }: NamespacePart,
  { netns, host, peer, gateway, address, length }: Ends,
): Veth => ({
  kind: 'veth',
  ifname: host,
  alias: `${ALIAS_PREFIX}namespace/${number}`,
  mac: hostMac,
  mtu,
  multicast: false,
  master: null,
  peer: { netns, ifname: peer, mac: peerMac, address: address + length, gateway, multicast: false },
});

function namespaceElements(
  { egress, source, peerMac, allowUserTraffic }: NamespacePart,
  { host, gateway, address }: Ends,
): readonly Element[] {
  const elements = guestElements({
    ifname: host,
    sources: [address],
    gateway,
    egress,
    source,
    mac: { of: 'guest', address: peerMac },
    managed: false,
  });
  if (!allowUserTraffic) return elements;
  return [...elements, { set: SETS.userNamespaces.name, key: [host] }];
}

/**
 * The host's side of a guest's link believes nothing that the guest says about routes (CVE-2020-13401), and tells it nothing.
 * accept_local leaves it to our `guard`, which knows each source that may come, to refuse the host's own: beside policy routing the kernel
 * would look up the way back of every packet for that (fib_validate_source), 7 % of what forwarding costs. arp_filter: who asks by an
 * address that does not lead back to its link gets no answer, and no place in the neighbour table, which all links of the host share.
 */
export function guestLinkSysctls(ifname: string, forceForwarding: boolean): readonly Sysctl[] {
  const sysctls = [
    { key: linkSysctl('ipv6', ifname, 'accept_ra'), value: '0' },
    { key: linkSysctl('ipv6', ifname, 'accept_redirects'), value: '0' },
    { key: linkSysctl('ipv4', ifname, 'accept_redirects'), value: '0' },
    { key: linkSysctl('ipv4', ifname, 'send_redirects'), value: '0' },
    { key: linkSysctl('ipv4', ifname, 'accept_local'), value: '1' },
    { key: linkSysctl('ipv4', ifname, 'arp_filter'), value: '1' },
  ];
  if (forceForwarding) sysctls.push({ key: linkSysctl('ipv6', ifname, 'force_forwarding'), value: '1' });
  return sysctls;
}

/** Address number `offset` of the subnet (see hostAt) with its prefix length. */
export const withLength = (subnet: string, offset: number): string =>
  `${hostAt(subnet, offset)}/${subnet.slice(subnet.indexOf('/') + 1)}`;
