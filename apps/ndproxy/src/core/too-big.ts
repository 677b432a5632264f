import {
  encodeEthernet,
  encodeIcmp6,
  encodeIpv6,
  ETHERTYPE_IPV6,
  Icmp6Type,
  IPV6_HEADER,
  NextHeader,
} from '@pp/wire';
import type { DataPacket } from './data-packet';

/** RFC 8200 §5: what every link takes; an error is no longer. */
const MIN_MTU = 1280;
const ERROR_HEADER = 8;
const HOP_LIMIT = 64;

/** "Packet Too Big" to who sent a packet, with as much of it as fits (RFC 4443 §3.2). `mtu` is that of the link it did not fit. */
export function tooBigFrame(
  { packet, source, sourceMac }: DataPacket,
  from: { readonly mac: Uint8Array; readonly source: Uint8Array; readonly mtu: number },
): Uint8Array {
  const quote = packet.subarray(0, MIN_MTU - IPV6_HEADER - ERROR_HEADER);
  const body = new Uint8Array(4 + quote.length);
  new DataView(body.buffer).setUint32(0, from.mtu);
  body.set(quote, 4);
  const error = { type: Icmp6Type.packetTooBig, code: 0, body };
  const payload = encodeIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: NextHeader.icmp6,
    hopLimit: HOP_LIMIT,
    source: from.source,
    destination: source,
    payload: encodeIcmp6(error, from.source, source),
  });
  return encodeEthernet({ destination: sourceMac, source: from.mac, etherType: ETHERTYPE_IPV6, payload });
}
