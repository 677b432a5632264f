import { IPV6_LENGTH } from './addr/ipv6';
import { type Decoded } from './decoded';
import { Reader } from './reader';
import { Writer } from './writer';

export const IPV6_HEADER = 40;

/** Next header values (IANA protocol numbers). */
export const NextHeader = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  icmp6: 58,
  none: 59,
  destination: 60,
} as const;

/** An IPv6 packet, RFC 8200 §3; addresses and payload are views. */
export interface Ipv6Packet {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly payload: Uint8Array;
}

/** What lies behind the payload length is link-layer padding, and not looked at. */
export function decodeIpv6(bytes: Uint8Array): Decoded<Ipv6Packet> {
  const r = new Reader(bytes);
  const word = r.u32be();
  const payloadLength = r.u16be();
  const nextHeader = r.u8();
  const hopLimit = r.u8();
  const source = r.bytes(IPV6_LENGTH);
  const destination = r.bytes(IPV6_LENGTH);
  const payload = r.bytes(payloadLength);
  r.rest();
  if (bytes.length > 0 && word >>> 28 !== 6) return { ok: false, fault: 'version' };
  return r.finish(() => ({
    trafficClass: (word >>> 20) & 0xff,
    flowLabel: word & 0xfffff,
    nextHeader,
    hopLimit,
    source,
    destination,
    payload,
  }));
}

export const encodeIpv6 = (packet: Ipv6Packet): Uint8Array =>
  new Writer(IPV6_HEADER + packet.payload.length)
    .u32be(((6 << 28) | (packet.trafficClass << 20) | packet.flowLabel) >>> 0)
    .u16be(packet.payload.length)
    .u8(packet.nextHeader)
    .u8(packet.hopLimit)
    .bytes(packet.source)
    .bytes(packet.destination)
    .bytes(packet.payload)
    .finish();

/** What lies behind the extension headers of a packet. */
export interface UpperLayer {
  /** A next header value; that of an extension header where the chain is too long or cut off. */
  readonly protocol: number;
  /** From the upper layer on; empty where the chain is cut off. */
  readonly payload: Uint8Array;
  readonly isFragment: boolean;
  /** What it is cannot be told here: too long a chain, or one that goes on in a later fragment (RFC 7112). A later fragment itself is none. */
  readonly isCut: boolean;
}

/** More than any stack sends; RFC 8504 §5.3 lets nodes refuse longer chains. */
const MAX_EXTENSIONS = 8;

/** Walks hop-by-hop, routing, destination and fragment headers, RFC 8200 §4. Of a later fragment the payload is only a part. */
export function upperLayer({ nextHeader, payload }: Pick<Ipv6Packet, 'nextHeader' | 'payload'>): UpperLayer {
  let [protocol, rest, isFragment, isLater] = [nextHeader, payload, false, false];
  for (let i = 0; i < MAX_EXTENSIONS && !isLater && EXTENSIONS.has(protocol); i++) {
    const isFragmentHeader = protocol === NextHeader.fragment;
    isFragment ||= isFragmentHeader;
    const bytes = isFragmentHeader ? 8 : ((rest[1] ?? 0) + 1) * 8;
    if (rest.length < bytes)
      return { protocol, payload: rest.subarray(rest.length), isFragment, isCut: true };
    isLater = isFragmentHeader && ((rest[2] ?? 0) !== 0 || (rest[3] ?? 0) >= 8);
    protocol = rest[0] ?? 0;
    rest = rest.subarray(bytes);
  }
  const isEmpty = isFragment && rest.length === 0 && protocol !== NextHeader.none;
  return { protocol, payload: rest, isFragment, isCut: !isLater && (isEmpty || EXTENSIONS.has(protocol)) };
}

const EXTENSIONS: ReadonlySet<number> = new Set([
  NextHeader.hopByHop,
  NextHeader.routing,
  NextHeader.fragment,
  NextHeader.destination,
]);

// Of an address, or of the one that begins at `at` in longer bytes.

/** ff00::/8, RFC 4291 §2.7. */
export const isMulticast = (bytes: Uint8Array, at = 0): boolean => bytes[at] === 0xff;

/** fe80::/10, RFC 4291 §2.5.6. */
export const isLinkLocal = (bytes: Uint8Array, at = 0): boolean =>
  bytes[at] === 0xfe && ((bytes[at + 1] ?? 0) & 0xc0) === 0x80;

/** "::", RFC 4291 §2.5.2. */
export const isUnspecified = (bytes: Uint8Array, at = 0): boolean => hasZeros(bytes, at, at + 16);

/** "::1", RFC 4291 §2.5.3. */
export const isLoopback = (bytes: Uint8Array, at = 0): boolean =>
  bytes[at + 15] === 1 && hasZeros(bytes, at, at + 15);

/** ::ffff:0:0/96, RFC 4291 §2.5.5.2. */
export const isIpv4Mapped = (bytes: Uint8Array, at = 0): boolean =>
  hasZeros(bytes, at, at + 10) && bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;

function hasZeros(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** ff02::1:ffXX:XXXX of an address, RFC 4291 §2.7.1. */
export function solicitedNodeOf(address: Uint8Array): Uint8Array {
  const group = Uint8Array.from(SOLICITED_NODE);
  group.set(address.subarray(13, 16), 13);
  return group;
}

/** ff02::1:ff00:0/104, of an address or of the one that begins at `at`. */
export function isSolicitedNode(bytes: Uint8Array, at = 0): boolean {
  for (let i = 0; i < 13; i++) if (bytes[at + i] !== SOLICITED_NODE[i]) return false;
  return true;
}

const SOLICITED_NODE = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);

/** ff02::1, RFC 4291 §2.7.1. */
export const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
/** ff02::2. */
export const ALL_ROUTERS = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);

/** 33:33 and the last four bytes of the group, RFC 2464 §7. */
export const multicastMac = (group: Uint8Array): Uint8Array =>
  Uint8Array.of(0x33, 0x33, group[12] ?? 0, group[13] ?? 0, group[14] ?? 0, group[15] ?? 0);
