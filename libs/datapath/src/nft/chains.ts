import type { TrafficSource } from '../marks';

/** Which way a guest's traffic leaves: pinned to an uplink, by the default route, as the user's traffic (it follows a VPN), or not at all. */
export type Egress =
  | { readonly kind: 'uplink'; readonly ifname: string }
  | { readonly kind: 'default' }
  | { readonly kind: 'user' }
  /** Pinned to an uplink that is not there. */
  | { readonly kind: 'nowhere' };

/** Chain that marks what comes from a guest of this egress. */
export const egressChain = (egress: Egress): string =>
  egress.kind === 'uplink' ? `egress_to_${chainWord(egress.ifname)}` : `egress_${egress.kind}`;

/** Chain that writes this source into the mark. */
export const sourceChain = (source: TrafficSource): string => `source_${source.toLowerCase()}`;

/** Chain that lets a guest's packet in if its Ethernet address is the guest's, or is not the host's. */
export const GUEST_MAC_CHAIN = { guest: 'mac_of_guest', host: 'mac_not_of_host' } as const;

/** The same for a guest whose traffic is the user's, which is written into the mark already. */
export const USER_MAC_CHAIN = { guest: 'mac_of_user_guest', host: 'mac_not_of_user_host' } as const;

/** Chain that writes the uplink into the mark of a connection that leaves by it. */
export const pinChain = (ifname: string): string => `pin_to_${chainWord(ifname)}`;

/** Chain that writes the uplink into the mark, and nothing else. */
export const tagChain = (ifname: string): string => `tag_to_${chainWord(ifname)}`;

/** Chain that holds back what is pinned to another uplink than the one it would leave by. */
export const forwardChain = (ifname: string): string => `forward_to_${chainWord(ifname)}`;

/** Chain that remembers the uplink by which a connection came in that is led to a guest. */
export const arrivalChain = (ifname: string): string => `arrived_by_${chainWord(ifname)}`;

/** Chain that leads new connections from outside to this address of ARC. */
export const inboundChain = (address: string): string => `inbound_to_${address}`;

/** An ifname as part of a chain's name: what nft's grammar does not take there becomes `/` and its code in hex (no ifname has a `/`). */
const chainWord = (ifname: string): string =>
  ifname.replace(/[^A-Za-z0-9_.-]/gu, (character) => `/${(character.codePointAt(0) ?? 0).toString(16)}/`);
