import {
  ARC_BRIDGE,
  arcBridgeName,
  namespaceNames,
  type ArcConfig,
  type ArcConfigs,
  type HeldSubnet,
  type TrafficSource,
} from '@pp/datapath';

/** Which way a guest's traffic leaves: one uplink, the default route as any system process, or as the user's (it follows a VPN). */
export type Egress =
  | { readonly kind: 'uplink'; readonly ifname: string }
  | { readonly kind: 'default' }
  | { readonly kind: 'user' };

/** An IPv6 address that a helper saw a guest hold, so that the host needs a route to it. */
export interface Neighbor {
  /** The guest's link, on the host. */
  readonly ifname: string;
  /** Canonical text. */
  readonly address: string;
  /** The uplink whose prefix it shares. */
  readonly upstream: string;
}

interface WithNeighbors {
  /** The newest last; absent: none was seen. */
  readonly neighbors?: readonly Neighbor[];
}

/** A network namespace connected by ConnectNamespace, alive as long as its lifeline. */
export interface Namespace extends WithNeighbors {
  readonly kind: 'namespace';
  /** N of arc_nsN, vethN and connected_netns_N. */
  readonly number: number;
  /** Number of the subnet in its pool. */
  readonly subnetIndex: number;
  /** Network address with prefix length: "100.115.92.128/30". */
  readonly subnet: string;
  readonly hostMac: string;
  readonly peerMac: string;
  /** The client's process and the inode of its namespace; null: the namespace is ours (pid -1). */
  readonly client: { readonly pid: number; readonly inode: number } | null;
  readonly egress: Egress;
  readonly source: TrafficSource;
  readonly allowUserTraffic: boolean;
  /** uid of the caller. */
  readonly owner: number;
}

/** A VM with one TAP: Termina by its vsock cid, a plugin VM by its id. */
export interface Vm extends WithNeighbors {
  readonly kind: 'termina' | 'plugin';
  /** Decimal: 64 bits do not fit a number. */
  readonly id: string;
  readonly tap: string;
  /** Of the TAP, the host's end. */
  readonly mac: string;
  readonly subnetIndex: number;
  readonly subnet: string;
  /** Termina's containers; null: none. */
  readonly containers: { readonly index: number; readonly subnet: string } | null;
  /** uid that may open the TAP. */
  readonly tapOwner: number;
  readonly owner: number;
}

/** ARC's device for one uplink. */
export interface ArcDevice {
  readonly uplink: string;
  readonly config: ArcConfig;
  /** The preallocated TAP, or the host's end of the veth into the container. */
  readonly link: string;
  /** Of the TAP, or of the container's end. */
  readonly mac: string;
}

/** Android, as a VM (by its vsock cid, six TAPs from the start) or as a container (by the pid of its init). */
export interface Arc extends WithNeighbors {
  readonly kind: 'arc';
  /** null: a VM. */
  readonly container: { readonly inode: number; readonly startTime: string } | null;
  /** cid or pid. */
  readonly id: number;
  /** The management link: a TAP and its MAC, or the host's end of a veth and the MAC of the container's. */
  readonly management: { readonly link: string; readonly mac: string };
  /** Of a VM: TAP and MAC by the number of the stable address, 2 to 6. */
  readonly taps: readonly { readonly tap: string; readonly mac: string; readonly number: number }[];
  /** Addresses that no device holds. */
  readonly free: ArcConfigs;
  /** In order of arrival. */
  readonly devices: readonly ArcDevice[];
  readonly tapOwner: number;
  readonly owner: number;
}

export type Guest = Namespace | Vm | Arc;

/** There is one ARC. */
export const ARC_KEY = 'arc/0';

/** The key of a guest in the world, the journal, and the ifalias of its links. */
export function guestKey(guest: Guest): string {
  switch (guest.kind) {
    case 'namespace':
      return `namespace/${guest.number}`;
    case 'termina':
    case 'plugin':
      return vmKey(guest.kind, guest.id);
    case 'arc':
      return ARC_KEY;
  }
}

/** A Termina and a plugin VM with the same id do not clash. */
export const vmKey = (kind: Vm['kind'], id: string): string => `${kind}/${id}`;

type GuestOf<K extends Guest['kind']> = K extends Vm['kind'] ? Vm : Extract<Guest, { kind: K }>;

/** The host's links that packets of a guest come in by: a bridge, not its port. */
export function linksOf(guest: Guest): readonly string[] {
  switch (guest.kind) {
    case 'namespace':
      return [namespaceNames(guest.number).host];
    case 'termina':
    case 'plugin':
      return [guest.tap];
    case 'arc':
      return [ARC_BRIDGE, ...guest.devices.map(({ uplink }) => arcBridgeName(uplink))];
  }
}

/** Of its links, but Android's management, and of what it routes. */
export function subnetsOf(guest: Guest): readonly HeldSubnet[] {
  switch (guest.kind) {
    case 'namespace':
    case 'plugin':
      return [{ kind: guest.kind, subnet: guest.subnet }];
    case 'termina': {
      const own = { kind: guest.kind, subnet: guest.subnet };
      return guest.containers === null ? [own] : [own, { kind: 'lxd', subnet: guest.containers.subnet }];
    }
    case 'arc':
      return guest.devices.map(({ config }) => ({ kind: 'arc', subnet: config.subnet }));
  }
}

export const neighborsOf = ({ neighbors = [] }: Guest): readonly Neighbor[] => neighbors;

/** The guests of one kind, in order of arrival. */
export function guestsOfKind<K extends Guest['kind']>(
  guests: ReadonlyMap<string, Guest>,
  kind: K,
): readonly GuestOf<K>[] {
  const found: GuestOf<K>[] = []; // BOUNDED: by the guests
  const isOfKind = (guest: Guest): guest is Guest & GuestOf<K> => guest.kind === kind;
  guests.forEach((guest) => {
    if (isOfKind(guest)) found.push(guest);
  });
  return found;
}
