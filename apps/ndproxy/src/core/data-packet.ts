import type { FrameFacts } from '@pp/ports';
import {
  decodeEthernet,
  decodeIpv6,
  ETHERNET_HEADER,
  ETHERTYPE_IPV6,
  Icmp6Type,
  IPV6_HEADER,
  isGroupAddress,
  isIpv4Mapped,
  isLoopback,
  isMulticast,
  isUnspecified,
  NextHeader,
  segmentBytes,
  upperLayer,
  VIRTIO_NET_HEADER,
  type UpperLayer,
} from '@pp/wire';
import type { DropReason } from './drop-reason';

/** An IPv6 packet that is no neighbour discovery, as bridge mode carries it. All bytes are views of the frame. */
export interface DataPacket {
  readonly sourceMac: Uint8Array;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** The IPv6 packet, without what lies behind it in the frame. */
  readonly packet: Uint8Array;
  readonly upper: UpperLayer;
  /** What the sender left to hardware: a virtio_net_hdr. */
  readonly offload: Uint8Array;
  /** Bytes of the longest IPv6 packet that will be on the wire. */
  readonly wireBytes: number;
}

export type DataAdmission =
  { readonly ok: true; readonly data: DataPacket } | { readonly ok: false; readonly reason: DropReason };

const refused = (reason: DropReason): DataAdmission => ({ ok: false, reason });

/** What one frame alone tells of whether it may be carried. `frame` begins with its virtio_net_hdr. */
export function admitData(frame: Uint8Array, facts: Pick<FrameFacts, 'truncated' | 'vlan'>): DataAdmission {
  if (facts.truncated) return refused('truncated');
  if (facts.vlan !== 0) return refused('vlan');
  const ethernet = decodeEthernet(frame.subarray(VIRTIO_NET_HEADER));
  if (!ethernet.ok || ethernet.value.etherType !== ETHERTYPE_IPV6) return refused('ip-version');
  const ip = decodeIpv6(ethernet.value.payload);
  if (!ip.ok) return refused(ip.fault === 'version' ? 'ip-version' : 'ip-length');
  const { source, destination, payload } = ip.value;
  const fault = addressFault(ethernet.value, source, destination);
  if (fault !== null) return refused(fault);
  const upper = upperLayer(ip.value);
  if (upper.isCut || isNeighborDiscovery(upper))
    return refused(upper.isFragment ? 'fragment' : 'extension-header');
  const bytes = IPV6_HEADER + payload.length;
  const offload = frame.subarray(0, VIRTIO_NET_HEADER);
  const whole = frame.subarray(VIRTIO_NET_HEADER, VIRTIO_NET_HEADER + ETHERNET_HEADER + bytes);
  const data: DataPacket = {
    sourceMac: ethernet.value.source,
    source,
    destination,
    packet: ethernet.value.payload.subarray(0, bytes),
    upper,
    offload,
    wireBytes: segmentBytes(offload, whole) - ETHERNET_HEADER,
  };
  return { ok: true, data };
}

interface Macs {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

function addressFault(mac: Macs, source: Uint8Array, destination: Uint8Array): DropReason | null {
  if (isGroupAddress(mac.source)) return 'group-source';
  if (isMulticast(source) || isLoopback(source) || isIpv4Mapped(source)) return 'source-address';
  if (isUnspecified(destination) || isLoopback(destination)) return 'destination-address';
  if (isMulticast(destination)) return (destination[1] ?? 0) % 16 < 2 ? 'destination-address' : null; // RFC 4291 §2.7
  if (isUnspecified(source)) return 'source-address';
  return isGroupAddress(mac.destination) ? 'group-frame' : null;
}

/** The socket's filter lets it through where it hides deeper than behind one header. Where it cannot be seen (`isCut`) it may hide as well. */
const isNeighborDiscovery = ({ protocol, payload: [type = 0] }: UpperLayer): boolean =>
  protocol === NextHeader.icmp6 && type >= Icmp6Type.routerSolicit && type <= Icmp6Type.redirect;
