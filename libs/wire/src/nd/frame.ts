import { ETHERTYPE_IPV6, encodeEthernet } from '../ethernet';
import { encodeIcmp6 } from '../icmp6';
import { encodeIpv6, NextHeader } from '../ipv6';
import { encodeNd, type NdMessage } from './messages';

/** RFC 4861 §3.1: proof that no router has passed the message on. */
export const ND_HOP_LIMIT = 255;

/** Who sends a message to whom, on both layers. */
export interface NdRoute {
  readonly sourceMac: Uint8Array;
  readonly destinationMac: Uint8Array;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** A whole Ethernet frame that carries the message. */
export function ndFrame(route: NdRoute, message: NdMessage): Uint8Array {
  const { source, destination } = route;
  const packet = encodeIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: NextHeader.icmp6,
    hopLimit: ND_HOP_LIMIT,
    source,
    destination,
    payload: encodeIcmp6(encodeNd(message), source, destination),
  });
  return encodeEthernet({
    destination: route.destinationMac,
    source: route.sourceMac,
    etherType: ETHERTYPE_IPV6,
    payload: packet,
  });
}
