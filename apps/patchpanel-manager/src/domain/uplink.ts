import { ARC_BRIDGE } from '@pp/datapath';

/** What an uplink is to its users; `vpn` is one that holds the best default route. */
export const UPLINK_KINDS = ['ethernet', 'wifi', 'cellular', 'vpn'] as const;
export type UplinkKind = (typeof UPLINK_KINDS)[number];

export interface DefaultRoute {
  readonly family: 'ipv4' | 'ipv6';
  /** null: the link itself is the next hop (point-to-point). */
  readonly gateway: string | null;
  readonly metric: number;
}

/** A route of table main without the default ones: "192.168.77.0/24", next hop or null. */
export interface LinkRoute {
  readonly family: 'ipv4' | 'ipv6';
  readonly dst: string;
  readonly gateway: string | null;
  readonly src: string | null;
  readonly metric: number;
}

/** An interface towards the outside that is there now. */
export interface Uplink {
  readonly ifname: string;
  readonly ifindex: number;
  readonly kind: UplinkKind;
  readonly running: boolean;
  readonly multicast: boolean;
  readonly mtu: number;
  readonly addresses: readonly string[];
  readonly defaults: readonly DefaultRoute[];
  readonly routes: readonly LinkRoute[];
  /** Present: a connection manager says that it is no default network now, whatever routes it has. */
  readonly passedOver?: true;
  /** Of a connection manager's; absent: the host's own are asked. As resolv.conf(5) writes them. */
  readonly nameservers?: readonly string[];
}

/** Android's bridge is a way out as long as Android runs; its last traces are none. The very same list where nothing is left out. */
export function uplinksBeside(isArcThere: boolean, uplinks: readonly Uplink[]): readonly Uplink[] {
  if (isArcThere || !uplinks.some(({ ifname }) => ifname === ARC_BRIDGE)) return uplinks;
  return uplinks.filter(({ ifname }) => ifname !== ARC_BRIDGE);
}
