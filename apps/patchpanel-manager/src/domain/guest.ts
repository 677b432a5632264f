import type { TrafficSource } from '@pp/datapath';

/** Which way a guest's traffic leaves: one uplink, the default route as any system process, or as the user's (it follows a VPN). */
export type Egress =
  | { readonly kind: 'uplink'; readonly ifname: string }
  | { readonly kind: 'default' }
  | { readonly kind: 'user' };

/** A network namespace connected by ConnectNamespace, alive as long as its lifeline. */
export interface Namespace {
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

export type Guest = Namespace;

/** The key of a guest in the world, the journal, and the ifalias of its links. */
export const guestKey = (guest: Guest): string => `namespace/${guest.number}`;
