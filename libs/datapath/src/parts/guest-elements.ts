import type { Element } from '../desired';
import type { TrafficSource } from '../marks';
import { egressChain, GUEST_MAC_CHAIN, sourceChain, USER_MAC_CHAIN, type Egress } from '../nft/chains';
import { SETS } from '../nft/sets';

/** What the packet filter has to know of one link to a guest. */
export interface GuestLink {
  /** As packets of the guest come in: a bridge, not its port. */
  readonly ifname: string;
  /** Every IPv4 address that may come from it. */
  readonly sources: readonly string[];
  /** The host's own address on the link. */
  readonly gateway: string;
  readonly egress: Egress;
  readonly source: TrafficSource;
  /** An Ethernet address on the link: the only one that the guest may use, or the host's, which it may not. */
  readonly mac: { readonly of: 'guest' | 'host'; readonly address: string };
  /** A container or VM, which namespaces with allow_user_traffic may talk to. */
  readonly managed: boolean;
}

export function guestElements({
  ifname,
  sources,
  gateway,
  egress,
  source,
  mac,
  managed,
}: GuestLink): readonly Element[] {
  const elements: Element[] = [{ set: SETS.guests.name, key: [ifname] }];
  const macChain = (egress.kind === 'user' ? USER_MAC_CHAIN : GUEST_MAC_CHAIN)[mac.of];
  for (const address of sources)
    elements.push({ set: SETS.guestAddress.name, key: [ifname, address], jump: macChain });
  if (mac.of === 'guest') elements.push({ set: SETS.guestMacChecked.name, key: [ifname] });
  const macSet = mac.of === 'guest' ? SETS.guestMac : SETS.hostMac;
  elements.push(
    { set: macSet.name, key: [ifname, mac.address] },
    { set: SETS.guestHaste.name, key: [ifname] },
    { set: SETS.guestGateways.name, key: [gateway] },
    { set: SETS.guestEgress.name, key: [ifname], jump: egressChain(egress) },
  );
  if (source !== 'UNKNOWN')
    elements.push({ set: SETS.guestSource.name, key: [ifname], jump: sourceChain(source) });
  if (managed) elements.push({ set: SETS.managedGuests.name, key: [ifname] });
  return elements;
}
