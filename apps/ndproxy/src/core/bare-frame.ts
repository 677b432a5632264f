import { ETHERNET_HEADER, ETHERTYPE_IPV6 } from '@pp/wire';

/** What a point-to-point link has in the place of our own Ethernet address, and of that of the other end. */
export const BARE_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0);
const PEER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);

/** A bare packet behind an Ethernet header, as if it came by Ethernet from the other end, or from us. */
export function withEthernet(packet: Uint8Array, outgoing: boolean): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + packet.length);
  frame.set(outgoing ? PEER_MAC : BARE_MAC);
  frame.set(outgoing ? BARE_MAC : PEER_MAC, 6);
  frame[12] = ETHERTYPE_IPV6 >>> 8;
  frame[13] = ETHERTYPE_IPV6 & 0xff;
  frame.set(packet, ETHERNET_HEADER);
  return frame;
}

export const withoutEthernet = (frame: Uint8Array): Uint8Array => frame.subarray(ETHERNET_HEADER);
