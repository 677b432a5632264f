import { BoundedMap } from '@pp/base';
import { cidrContains, isRoutable, parseIpv6 } from '@pp/wire';
import type { DropReason } from './drop-reason';
import { OnLink } from './on-link';
import { addressBytes, type Segment, type Topology } from './topology';

/** BOUNDED: senders on a link that are remembered. */
const MAX_SENDERS = 1024;

type Found = DropReason | 'on-link';

interface Place {
  readonly onLink: OnLink;
  /** Of a guest: RFC 4389 proxies give it addresses of the LAN's prefixes, beside those that this host has on its link. */
  readonly onLan: OnLink;
  readonly tellsIpv6: boolean;
  readonly senders: BoundedMap<string, Found>;
}

/** Whether packets may come from where they say: an address of the link that they came by, and not of this host. */
export class Senders {
  #topology: Topology | null = null;
  readonly #places = new Map<number, Place>(); // BOUNDED: by the interfaces

  update(topology: Topology): void {
    this.#topology = topology;
    this.#places.clear();
    for (const [ifindex, segment] of topology.segments)
      this.#places.set(ifindex, {
        onLink: new OnLink([segment]),
        onLan: new OnLink(lansOf(topology, ifindex)),
        tellsIpv6: tellsIpv6(segment),
        senders: new BoundedMap(MAX_SENDERS, () => undefined),
      });
  }

  /** null: it may. */
  faultOf(address: string, ifindex: number): DropReason | null {
    const place = this.#places.get(ifindex);
    if (place === undefined) return 'not-member';
    let found = place.senders.get(address);
    if (found === undefined) {
      found = this.#find(address, place);
      place.senders.set(address, found);
    }
    return found === 'on-link' ? null : found;
  }

  #find(address: string, { onLink, onLan, tellsIpv6 }: Place): Found {
    if (this.#topology?.isLocal(address) === true) return 'own-source';
    const bytes = addressBytes(address);
    if (/^fe[89ab]/.test(address) || onLink.has(bytes) || onLan.has(bytes)) return 'on-link';
    const ipv6 = tellsIpv6 ? null : parseIpv6(address);
    return ipv6 !== null && isRoutable(ipv6) ? 'on-link' : 'off-link';
  }
}

/** With their IPv6 prefixes only. */
const lansOf = (topology: Topology, ifindex: number): readonly Pick<Segment, 'prefixes'>[] =>
  topology
    .exits(ifindex)
    .filter(({ way }) => way === 'to-lan')
    .map(({ segment }) => ({ prefixes: segment.prefixes.filter(({ family }) => family === 'ipv6') }));

/**
 * Whether this host's addresses tell what is on the link. Link-local and single ones (DHCPv6, a link that ndproxy gives the LAN's prefix)
 * do not: RFC 5942 §4. A single one beside a prefix that it is not of says that there are others.
 */
function tellsIpv6({ prefixes }: Segment): boolean {
  const wide = prefixes.filter(({ family, address }) => family === 'ipv6' && !/^fe[89ab]/.test(address));
  const told = wide.filter(({ length }) => length < 128);
  return told.length > 0 && wide.every((each) => told.some((prefix) => cidrContains(prefix, each)));
}
