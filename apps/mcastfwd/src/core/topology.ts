import type { InterfacesView } from '@pp/ports';
import { matchesIfname } from '@pp/ports';
import {
  ipv4ToBytes,
  ipv6ToBytes,
  isLinkLocalIpv6,
  parseCidr,
  parseIpv4,
  parseIpv6,
  type Cidr,
  type Family,
} from '@pp/wire';

/** A LAN and the guests that it is to be joined with; guests by name or pattern ("vmtap*"). */
export interface Link {
  readonly lan: string;
  readonly guests: readonly string[];
}

/** An interface that packets are relayed between. */
export interface Segment {
  readonly ifname: string;
  readonly ifindex: number;
  /** What is on this link; this host's own addresses come first. */
  readonly prefixes: readonly Cidr[];
  /** This host's own address there, by which others know it: the first of each family, for IPv6 the first that is not link-local. */
  readonly own: Readonly<Record<Family, Uint8Array | null>>;
  /** Whether packets can be sent there at all. */
  readonly speaks: Readonly<Record<Family, boolean>>;
}

/** Where a packet goes next. */
export interface Exit {
  readonly segment: Segment;
  readonly way: 'to-guest' | 'to-lan' | 'between-guests';
  /** The guest of the pair; of two guests the one that sends. */
  readonly guest: Segment;
}

export type Absence = 'absent' | 'down';

/** Who is joined with whom now. A value: built anew when interfaces or wishes change. */
export class Topology {
  readonly segments: ReadonlyMap<number, Segment>;
  /** Interfaces that are asked for and not there; a pattern that nothing matches is no fault. */
  readonly missing: ReadonlyMap<string, Absence>;
  /** Those that are a guest of a LAN, by ifindex. */
  readonly guests: ReadonlySet<number>;
  readonly #exits: ReadonlyMap<number, readonly Exit[]>;
  readonly #local: ReadonlySet<string>;

  constructor(links: readonly Link[], view: InterfacesView) {
    const builder = new Builder(view);
    for (const link of links) builder.join(link);
    this.segments = builder.segments;
    this.missing = builder.missing;
    this.guests = builder.guests;
    this.#exits = builder.exits;
    this.#local = new Set(view.addresses.flatMap(({ cidr }) => parseCidr(cidr)?.address ?? []));
  }

  exits(ifindex: number): readonly Exit[] {
    return this.#exits.get(ifindex) ?? [];
  }

  /** Whether an address is one of this host, on any interface. */
  isLocal(address: string): boolean {
    return this.#local.has(address);
  }
}

class Builder {
  readonly segments = new Map<number, Segment>(); // BOUNDED: by the interfaces
  readonly missing = new Map<string, Absence>();
  readonly guests = new Set<number>();
  readonly exits = new Map<number, Exit[]>();

  constructor(private readonly view: InterfacesView) {}

  join({ lan: name, guests: patterns }: Link): void {
    const [lan] = this.#find(name, false);
    const guests = patterns.flatMap((pattern) => this.#find(pattern, pattern.endsWith('*')));
    if (lan === undefined) return;
    const others = [...new Set(guests)].filter((guest) => guest !== lan);
    for (const guest of others) {
      this.guests.add(guest.ifindex);
      this.#add(lan, { segment: guest, way: 'to-guest', guest });
      this.#add(guest, { segment: lan, way: 'to-lan', guest });
      for (const other of others)
        if (other !== guest) this.#add(guest, { segment: other, way: 'between-guests', guest });
    }
  }

  /** Two guests may meet on several LANs. */
  #add(from: Segment, exit: Exit): void {
    const exits = this.exits.get(from.ifindex) ?? [];
    this.exits.set(from.ifindex, exits);
    if (!exits.some(({ segment }) => segment === exit.segment)) exits.push(exit);
  }

  #find(pattern: string, isPattern: boolean): readonly Segment[] {
    const matches = this.view.links.filter(({ ifname }) => ifname !== 'lo' && matchesIfname(pattern, ifname));
    if (matches.length === 0 && !isPattern) this.missing.set(pattern, 'absent');
    return matches.flatMap(({ ifindex, ifname, running }) => {
      if (!running) this.missing.set(ifname, 'down');
      return running ? [this.#segment(ifindex, ifname)] : [];
    });
  }

  #segment(ifindex: number, ifname: string): Segment {
    const known = this.segments.get(ifindex);
    if (known !== undefined) return known;
    const segment = segmentOf(ifindex, ifname, this.view);
    this.segments.set(ifindex, segment);
    return segment;
  }
}

function segmentOf(ifindex: number, ifname: string, { addresses }: InterfacesView): Segment {
  const usable = addresses.filter((address) => address.ifindex === ifindex && address.usable);
  const cidrs = usable.flatMap(({ cidr }) => parseCidr(cidr) ?? []);
  const v4 = cidrs.filter(({ family }) => family === 'ipv4');
  const v6 = cidrs.flatMap((cidr) => (cidr.family === 'ipv6' ? [cidr] : []));
  const first6 = v6.find(({ address }) => !isLinkLocalIpv6(address));
  return {
    ifname,
    ifindex,
    prefixes: [...cidrs, ...usable.flatMap(({ peer = '' }) => parseCidr(peer) ?? [])],
    own: {
      ipv4: v4[0] === undefined ? null : addressBytes(v4[0].address),
      ipv6: first6 === undefined ? null : ipv6ToBytes(first6.address),
    },
    speaks: { ipv4: v4.length > 0, ipv6: v6.length > 0 },
  };
}

/** Bytes of an address as text; none for what is no address. */
export function addressBytes(text: string): Uint8Array {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) return ipv4ToBytes(ipv4);
  const ipv6 = parseIpv6(text);
  return ipv6 === null ? new Uint8Array(0) : ipv6ToBytes(ipv6);
}
