import { addToSum, checksumOf } from './checksum';
import { decoded, undecoded, type Decoded, type DecodeFault } from './decoded';
import { Reader } from './reader';

export const IPV4_HEADER = 20;
export const PROTOCOL_UDP = 17;

// Flags and offset, RFC 791 §3.1
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
export const IPV4_MAX_LENGTH = 0xffff;

/** An IPv4 packet, RFC 791 §3.1; addresses are numbers, first octet highest; options and payload are views. */
export interface Ipv4Packet {
  /** Differentiated services and ECN, RFC 2474, RFC 3168. */
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Of the payload in the whole datagram, in bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  /** As they are, padded to 32-bit words. */
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

/** What lies behind the total length is link-layer padding, and not looked at. A wrong header checksum is `checksum`. */
export function decodeIpv4(bytes: Uint8Array): Decoded<Ipv4Packet> {
  const r = new Reader(bytes);
  const version = r.u8();
  const tos = r.u8();
  const totalLength = r.u16be();
  const id = r.u16be();
  const fragment = r.u16be();
  const ttl = r.u8();
  const protocol = r.u8();
  r.skip(2); // checksum: below
  const source = r.u32be();
  const destination = r.u32be();
  if (bytes.length > 0 && version >>> 4 !== 4) return undecoded('version');
  const headerLength = (version & 0xf) * 4;
  if (bytes.length >= IPV4_HEADER && (headerLength < IPV4_HEADER || totalLength < headerLength))
    return undecoded('length');
  const options = headerLength <= IPV4_HEADER ? NO_OPTIONS : r.bytes(headerLength - IPV4_HEADER);
  const payload = r.bytes(Math.max(0, totalLength - headerLength));
  r.rest();
  const packet = r.finish(() => ({
    tos,
    id,
    dontFragment: (fragment & DONT_FRAGMENT) !== 0,
    moreFragments: (fragment & MORE_FRAGMENTS) !== 0,
    fragmentOffset: (fragment & OFFSET_MASK) * 8,
    ttl,
    protocol,
    source,
    destination,
    options,
    payload,
  }));
  if (!packet.ok) return packet;
  return checksumOf(addToSum(0, bytes, 0, headerLength)) === 0 ? packet : undecoded('checksum');
}

const NO_OPTIONS = new Uint8Array(0);

/** Writes the header with its checksum, and options, to `into` at `at`; returns where it ends. The payload is not looked at. */
export function writeIpv4Header(
  into: Uint8Array,
  at: number,
  packet: Omit<Ipv4Packet, 'payload'>,
  payloadLength: number,
): number {
  const { options } = packet;
  const length = IPV4_HEADER + options.length;
  into[at] = 0x40 | (length >>> 2);
  into[at + 1] = packet.tos;
  put16(into, at + 2, length + payloadLength);
  put16(into, at + 4, packet.id);
  const flags = (packet.dontFragment ? DONT_FRAGMENT : 0) | (packet.moreFragments ? MORE_FRAGMENTS : 0);
  put16(into, at + 6, flags | (packet.fragmentOffset >>> 3));
  into[at + 8] = packet.ttl;
  into[at + 9] = packet.protocol;
  put16(into, at + 10, 0);
  put32(into, at + 12, packet.source);
  put32(into, at + 16, packet.destination);
  if (options.length > 0) into.set(options, at + IPV4_HEADER);
  put16(into, at + 10, checksumOf(addToSum(0, into, at, at + length)));
  return at + length;
}

export function encodeIpv4(packet: Ipv4Packet): Uint8Array {
  const { options, payload } = packet;
  const bytes = new Uint8Array(IPV4_HEADER + options.length + payload.length);
  bytes.set(payload, writeIpv4Header(bytes, 0, packet, payload.length));
  return bytes;
}

// RFC 791 §3.1, options
const END_OF_LIST = 0;
const NO_OPERATION = 1;
const COPIED = 0x80;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

export interface Ipv4Option {
  readonly type: number;
  /** The whole option. */
  readonly bytes: Uint8Array;
}

/** The options before the end of the list, without padding. */
export function decodeIpv4Options(options: Uint8Array): Decoded<readonly Ipv4Option[]> {
  const found: Ipv4Option[] = []; // BOUNDED: 40 bytes of options
  for (let at = 0; at < options.length;) {
    const type = options[at] ?? END_OF_LIST;
    if (type === END_OF_LIST) break;
    const length = type === NO_OPERATION ? 1 : (options[at + 1] ?? 0);
    const fault = optionFault(type, length, options.length - at);
    if (fault !== null) return undecoded(fault);
    if (type !== NO_OPERATION) found.push({ type, bytes: options.subarray(at, at + length) });
    at += length;
  }
  return decoded(found);
}

function optionFault(type: number, length: number, left: number): DecodeFault | null {
  if (type !== NO_OPERATION && left < 2) return 'option-overrun';
  if (type !== NO_OPERATION && length < 2) return 'option-zero';
  return length > left ? 'option-overrun' : null;
}

export const isSourceRoute = ({ type }: Ipv4Option): boolean =>
  type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE;

/** The options that fragments after the first bear: those with the copied flag, RFC 791 §3.1. Options that cannot be read: none. */
export function copiedOptions(options: Uint8Array): Uint8Array {
  const all = decodeIpv4Options(options);
  const copied = all.ok ? all.value.filter(({ type }) => (type & COPIED) !== 0) : [];
  const length = copied.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const padded = new Uint8Array(Math.ceil(length / 4) * 4);
  let at = 0;
  for (const { bytes } of copied) {
    padded.set(bytes, at);
    at += bytes.length;
  }
  return padded;
}

function put16(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 8;
  into[at + 1] = value;
}

function put32(into: Uint8Array, at: number, value: number): void {
  put16(into, at, value >>> 16);
  put16(into, at + 2, value & 0xffff);
}
