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
  const { options, payload } = datagram;
  const length = UDP_HEADER + payload.length;
  if (IPV4_HEADER + options.length + length > route.mtu) {
    const segment = new Uint8Array(length);
    writeUdp4(segment, 0, datagram);
    return fragments(datagram, segment, route);
  }
  const frame = openFrame(route, IPV4_HEADER + options.length + length);
  const at = writeIpv4Header(frame, linkLength(route), headerOf(datagram, options, 0, false), length);
  writeUdp4(frame, at, datagram);
  return [frame];
}

function headerOf(
  { tos, id, dontFragment, ttl, source, destination }: Udp4Datagram,
  options: Uint8Array,
  fragmentOffset: number,
  moreFragments: boolean,
): Omit<Ipv4Packet, 'payload'> {
  return {
    tos,
    id,
    dontFragment: dontFragment && fragmentOffset === 0 && !moreFragments,
    moreFragments,
    fragmentOffset,
    ttl,
    protocol: PROTOCOL_UDP,
    source,
    destination,
    options,
  };
}

/** A UDP header with its checksum, and its payload. */
function writeUdp4(into: Uint8Array, at: number, datagram: Udp4Datagram): void {
  const { sourcePort, destinationPort, payload } = datagram;
  const length = UDP_HEADER + payload.length;
  put16(into, at, sourcePort);
  put16(into, at + 2, destinationPort);
  put16(into, at + 4, length);
  put16(into, at + 6, 0);
  into.set(payload, at + UDP_HEADER);
  const checksum = checksumOf(addToSum(pseudoHeader(datagram, length), into, at, at + length));
  put16(into, at + 6, checksum === 0 ? 0xffff : checksum); // RFC 768: zero would mean that there is none
}

function fragments(datagram: Udp4Datagram, segment: Uint8Array, route: FrameRoute): readonly Uint8Array[] {
  const frames: Uint8Array[] = []; // BOUNDED: 65,535 bytes, 8 or more in each
  const later = copiedOptions(datagram.options);
  for (let at = 0; at < segment.length;) {
    const options = at === 0 ? datagram.options : later;
    const room = (route.mtu - IPV4_HEADER - options.length) & ~7; // RFC 791 §3.2: offsets count 8 bytes
    if (room < 8) throw new RangeError(`no fragment fits an MTU of ${route.mtu}`);
    const part = segment.subarray(at, at + room);
    const isLast = at + part.length === segment.length;
    const frame = openFrame(route, IPV4_HEADER + options.length + part.length);
    const header = headerOf(datagram, options, at, !isLast);
    frame.set(part, writeIpv4Header(frame, linkLength(route), header, part.length));
    frames.push(frame);
    at += part.length;
  }
  return frames;
}

const linkLength = ({ ethernet }: FrameRoute): number => (ethernet === null ? 0 : ETHERNET_HEADER);

/** A frame with its Ethernet header, if there is one, and room for `length` bytes behind it. */
function openFrame({ ethernet, allocate }: FrameRoute, length: number): Uint8Array {
  if (ethernet === null) return allocate(length);
  const frame = allocate(ETHERNET_HEADER + length);
  frame.set(ethernet.destination, 0);
  frame.set(ethernet.source, 6);
  put16(frame, 12, ETHERTYPE_IPV4);
  return frame;
}

function put16(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 8;
  into[at + 1] = value;
}
