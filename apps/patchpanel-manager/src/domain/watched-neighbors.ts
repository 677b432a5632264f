import {
  cidrContains,
  hostCidr,
  isLinkLocalIpv6,
  parseCidr,
  parseIpv4,
  parseIpv6,
  type Cidr,
} from '@pp/wire';
import type { Uplink } from './uplink';

export type NeighborRole = 'GATEWAY' | 'DNS_SERVER' | 'GATEWAY_AND_DNS_SERVER';

/** An address on a link whose reachability clients are told of (spec/patchpanel.md 13.5). */
export interface WatchedNeighbor {
  readonly ifindex: number;
  readonly address: string;
  readonly role: NeighborRole;
}

/** Gateways of the uplinks that are monitored, and name servers on their links; `nameservers`: of uplinks without their own, as resolv.conf(5) writes them. */
export function watchedNeighbors(
  uplinks: readonly Uplink[],
  nameservers: readonly string[],
  which: 'wifi' | 'all',
): readonly WatchedNeighbor[] {
  return uplinks
    .filter(({ kind }) => which === 'all' || kind === 'wifi')
    .flatMap((uplink) => watchedOn(uplink, uplink.nameservers?.toSorted() ?? nameservers));
}

function watchedOn(uplink: Uplink, nameservers: readonly string[]): readonly WatchedNeighbor[] {
  const gateways = new Set(uplink.defaults.flatMap(({ gateway }) => gateway ?? []));
  const servers = new Set(nameservers.flatMap((server) => onLink(server, uplink)));
  return [...new Set([...gateways, ...servers])].map((address) => ({
    ifindex: uplink.ifindex,
    address,
    role: !servers.has(address) ? 'GATEWAY' : gateways.has(address) ? 'GATEWAY_AND_DNS_SERVER' : 'DNS_SERVER',
  }));
}

/** The server's address, as the kernel writes it, if it is a neighbour there: inside a prefix of the uplink, or link-local IPv6 of no other interface. */
function onLink(server: string, { ifname, ifindex, addresses }: Uplink): readonly string[] {
  const [text = '', scope] = server.split('%');
  const address = hostOf(text);
  if (address === null) return [];
  if (address.family === 'ipv6' && isLinkLocalIpv6(address.address))
    return scope === undefined || scope === ifname || scope === String(ifindex) ? [address.address] : [];
  const isOnLink = addresses.some((cidr) => {
    const prefix = parseCidr(cidr);
    return prefix !== null && cidrContains(prefix, address);
  });
  return isOnLink ? [address.address] : [];
}

function hostOf(text: string): Cidr | null {
  const address = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return address === null ? null : hostCidr(address);
}

/** Name servers in the text of a resolv.conf(5). */
export const nameserversIn = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
