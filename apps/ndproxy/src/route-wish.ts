import type { Millis } from '@pp/base';
import type { InterfacesView } from '@pp/ports';
import { ipv6ToBytes, isLinkLocal, parseCidr } from '@pp/wire';
import type { GroupState } from './core/group-state';
import { hasPrefix, type Prefix } from './core/policy';
import type { Way } from './route-sync';

/** An address of the upstream, with its prefix. */
interface Source extends Prefix {
  readonly address: string;
}

/** Prefixes that a group's segments share: those of the upstream's own addresses, and those that its routers announce. */
export interface SharedPrefixes {
  readonly prefixes: readonly Prefix[];
  readonly sources: readonly Source[];
}

export function sharedPrefixes(
  state: GroupState,
  { addresses }: InterfacesView,
  now: Millis,
): SharedPrefixes {
  const upstream = state.upstream?.link.ifindex;
  const sources = addresses.flatMap(({ ifindex, cidr, usable }) =>
    ifindex === upstream && usable ? sourceOf(cidr) : [],
  );
  const announced = state.routers.prefixes(now).map(({ prefix, length }) => ({ prefix, length }));
  return { prefixes: [...announced, ...sources.filter(({ length }) => length < 128)], sources };
}

function sourceOf(cidr: string): Source | [] {
  const parsed = parseCidr(cidr);
  if (parsed?.family !== 'ipv6') return [];
  const { address, length } = parsed;
  const prefix = ipv6ToBytes(address);
  return isLinkLocal(prefix) ? [] : { address, prefix, length };
}

/**
 * The way that packets for a node need a route for: to a downstream, where the kernel would look on the upstream; null: none. In bridge
 * mode it is for the packets of this host alone.
 */
export function wayFor(
  state: GroupState,
  address: Uint8Array,
  { prefixes, sources }: SharedPrefixes,
): Way | null {
  const place = state.table.get(address);
  if (place === undefined || isLinkLocal(address)) return null;
  if (state.members.get(place.ifindex)?.link.role !== 'downstream') return null;
  if (!prefixes.some((prefix) => hasPrefix(address, prefix))) return null;
  const source = sources.find((each) => hasPrefix(address, each)) ?? sources[0];
  return { ifindex: place.ifindex, source: source?.address ?? null };
}
