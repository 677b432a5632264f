import type { HostRoute, InterfacesView } from '@pp/ports';
import {
  cidrContains,
  hostCidr,
  ipv6FromBytes,
  isLinkLocal,
  isLinkLocalIpv6,
  parseCidr,
  type Cidr,
} from '@pp/wire';
import type { GroupState } from './core/group-state';
import type { Millis } from '@pp/base';

/** Prefixes that a group's segments share: those of the upstream's own addresses, and those that its routers announce. */
export interface SharedPrefixes {
  readonly prefixes: readonly Cidr[];
  /** Addresses of the upstream, each with its prefix length. */
  readonly sources: readonly Cidr[];
}

export function sharedPrefixes(
  state: GroupState,
  { addresses }: InterfacesView,
  now: Millis,
): SharedPrefixes {
  const upstream = state.upstream?.link.ifindex;
  const sources = addresses.flatMap(({ ifindex, cidr, usable }) => {
    const parsed = ifindex === upstream && usable ? parseCidr(cidr) : null;
    return parsed?.family === 'ipv6' && !isLinkLocalIpv6(parsed.address) ? [parsed] : [];
  });
  const announced = state.routers
    .prefixes(now)
    .map(({ prefix, length }): Cidr => ({ family: 'ipv6', address: ipv6FromBytes(prefix), length }));
  return { prefixes: [...announced, ...sources.filter(({ length }) => length < 128)], sources };
}

/**
 * The route that a node needs: to a downstream, where the kernel would look on the upstream; null: none. In bridge mode it is for the
 * packets of this host alone.
 */
export function routeFor(
  state: GroupState,
  address: Uint8Array,
  { prefixes, sources }: SharedPrefixes,
): HostRoute | null {
  const location = state.table.get(address);
  if (location === undefined || isLinkLocal(address)) return null;
  if (state.members.get(location.ifindex)?.link.role !== 'downstream') return null;
  const text = ipv6FromBytes(address);
  const own = hostCidr(text);
  if (!prefixes.some((prefix) => cidrContains(prefix, own))) return null;
  const source = sources.find((each) => cidrContains(each, own)) ?? sources[0];
  return { address: text, ifindex: location.ifindex, source: source?.address ?? null };
}
