import { ETHERNET_HEADER, ETHERTYPE_IPV4 } from './ethernet';
import { addToSum, checksumOf } from './checksum';
import type { Decoded } from './decoded';
import { copiedOptions, IPV4_HEADER, PROTOCOL_UDP, writeIpv4Header, type Ipv4Packet } from './ipv4';
import { Reader } from './reader';

export const UDP_HEADER = 8;

/** A UDP datagram, RFC 768; the payload is a view. */
export interface UdpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/**
 * Takes what an IPv4 packet carries. The length must be that of the packet: `slack` for less. `checksum`: it is neither right nor absent;
 * only where `verify`, since a checksum that was left to hardware means nothing.
 */
export function decodeUdp4(
  packet: Ipv4Packet,
  { verify }: { readonly verify: boolean },
): Decoded<UdpSegment> {
  const r = new Reader(packet.payload);
  const sourcePort = r.u16be();
  const destinationPort = r.u16be();
  const length = r.u16be();
  const checksum = r.u16be();
  if (packet.payload.length >= UDP_HEADER && length < UDP_HEADER) return { ok: false, fault: 'length' };
  const payload = r.bytes(length - UDP_HEADER);
  const segment = r.finish(() => ({ sourcePort, destinationPort, payload }));
  if (!segment.ok || checksum === 0 || !verify) return segment;
  return checksumOf(addToSum(pseudoHeader(packet, length), packet.payload)) === 0
    ? segment
    : { ok: false, fault: 'checksum' };
}

/** RFC 768: addresses, protocol and length are part of the sum. */
function pseudoHeader({ source, destination }: Addresses, length: number): number {
  return (
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff) +
    PROTOCOL_UDP +
    length
  );
}

type Addresses = Pick<Ipv4Packet, 'source' | 'destination'>;

/** A UDP datagram with all of its IPv4 header that a relay decides on. */
export interface Udp4Datagram extends UdpSegment, Addresses {
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly ttl: number;
  readonly options: Uint8Array;
}

/** Where frames go. */
export interface FrameRoute {
  /** null: the link has no Ethernet header. */
  readonly ethernet: { readonly source: Uint8Array; readonly destination: Uint8Array } | null;
  readonly mtu: number;
  /** Memory for the frames. */
  readonly allocate: (length: number) => Uint8Array;
}

/**
 * The frames that carry a datagram: one, or fragments where it is larger than the MTU, also against the don't-fragment flag, which is
 * cleared then. Checksums are computed. A fragment must hold 8 bytes: an MTU that is too small for that is a RangeError.
 */
export function udp4Frames(datagram: Udp4Datagram, route: FrameRoute): readonly Uint8Array[] {
  const { source, destination, tos, id, dontFragment, ttl, options } = datagram;
  const payload = encodeUdp4(datagram);
  if (IPV4_HEADER + options.length + payload.length > route.mtu) return fragments(datagram, payload, route);
  const whole = { protocol: PROTOCOL_UDP, moreFragments: false, fragmentOffset: 0 };
  return [ipv4Frame({ source, destination, tos, id, dontFragment, ttl, options, payload, ...whole }, route)];
}

/** A UDP header with its checksum, and its payload. */
function encodeUdp4(datagram: Udp4Datagram): Uint8Array {
  const { sourcePort, destinationPort, payload } = datagram;
  const bytes = new Uint8Array(UDP_HEADER + payload.length);
  put16(bytes, 0, sourcePort);
  put16(bytes, 2, destinationPort);
  put16(bytes, 4, bytes.length);
  bytes.set(payload, UDP_HEADER);
  const checksum = checksumOf(addToSum(pseudoHeader(datagram, bytes.length), bytes));
  put16(bytes, 6, checksum === 0 ? 0xffff : checksum); // RFC 768: zero would mean that there is none
  return bytes;
}

function fragments(datagram: Udp4Datagram, bytes: Uint8Array, route: FrameRoute): readonly Uint8Array[] {
  const frames: Uint8Array[] = []; // BOUNDED: 65,535 bytes, 8 or more in each
  const later = copiedOptions(datagram.options);
  for (let at = 0; at < bytes.length;) {
    const options = at === 0 ? datagram.options : later;
    const room = (route.mtu - IPV4_HEADER - options.length) & ~7; // RFC 791 §3.2: offsets count 8 bytes
    if (room < 8) throw new RangeError(`no fragment fits an MTU of ${route.mtu}`);
    const part = bytes.subarray(at, at + room);
    const end = at + part.length;
    const { source, destination, tos, id, ttl } = datagram;
    const fragment = { moreFragments: end < bytes.length, fragmentOffset: at, dontFragment: false };
    const fields = { source, destination, tos, id, ttl, protocol: PROTOCOL_UDP };
    frames.push(ipv4Frame({ ...fields, ...fragment, options, payload: part }, route));
    at = end;
  }
  return frames;
}

/** A packet behind the route's Ethernet header, if there is one. */
function ipv4Frame(packet: Ipv4Packet, { ethernet, allocate }: FrameRoute): Uint8Array {
  const link = ethernet === null ? 0 : ETHERNET_HEADER;
  const { options, payload } = packet;
  const frame = allocate(link + IPV4_HEADER + options.length + payload.length);
  if (ethernet !== null) {
    frame.set(ethernet.destination, 0);
    frame.set(ethernet.source, 6);
    put16(frame, 12, ETHERTYPE_IPV4);
  }
  const ip = frame.subarray(link);
  ip.set(payload, writeIpv4Header(ip, packet, payload.length));
  return frame;
}

function put16(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 8;
  into[at + 1] = value;
}
