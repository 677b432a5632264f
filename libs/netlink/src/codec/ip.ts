import {
  ipv4FromBytes,
  ipv6FromBytes,
  ipv6ToBytes,
  MAC_LENGTH,
  macFromBytes,
  parseIpv4Bytes,
  parseIpv6,
  parseMacBytes,
  parsePrefixLength,
} from '@pp/wire';
import type { Family } from '@pp/wire';
import { MalformedError } from './malformed';

// linux/socket.h
const AF_INET = 2;
const AF_INET6 = 10;

export const familyNumber = (family: Family): number => (family === 'ipv4' ? AF_INET : AF_INET6);

/** null: not an Internet family (AF_BRIDGE, AF_MPLS, multicast routing, ...). */
export const familyName = (number: number): Family | null =>
  number === AF_INET ? 'ipv4' : number === AF_INET6 ? 'ipv6' : null;

/** Four or sixteen bytes in network order. Throws RangeError for text that is no address. */
export function encodeIp(text: string): Uint8Array {
  const bytes = ipBytes(text);
  if (bytes === null) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`);
  return bytes;
}

function ipBytes(text: string): Uint8Array | null {
  const ipv4 = parseIpv4Bytes(text);
  if (ipv4 !== null) return ipv4;
  const ipv6 = parseIpv6(text);
  return ipv6 === null ? null : ipv6ToBytes(ipv6);
}

/** Canonical text. Throws MalformedError unless there are four or sixteen bytes. */
export function decodeIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return ipv4FromBytes(bytes);
  if (bytes.length === 16) return ipv6FromBytes(bytes);
  throw new MalformedError(`IP address of ${bytes.length} bytes`);
}

/** An address and a number of leading bits; the address may have bits beyond them. */
export interface PrefixBytes {
  readonly family: Family;
  readonly address: Uint8Array;
  readonly length: number;
}

/** From "ADDRESS/LENGTH". Throws RangeError. */
export function encodePrefix(text: string): PrefixBytes {
  const slash = text.indexOf('/');
  const address = slash < 0 ? null : ipBytes(text.slice(0, slash));
  const family = address?.length === 4 ? 'ipv4' : 'ipv6';
  const length = parsePrefixLength(text.slice(slash + 1), family);
  if (address === null || length === null) throw new RangeError(`not a prefix: ${JSON.stringify(text)}`);
  return { family, address, length };
}

/** `address` null: the kernel leaves out that of a default route. */
export const decodePrefix = (family: Family, address: Uint8Array | null, length: number): string =>
  `${decodeIp(address ?? new Uint8Array(family === 'ipv4' ? 4 : 16))}/${length}`;

/** The broadcast address of an IPv4 prefix; null where there is none (/31, /32, IPv6). */
export function broadcastOf({ family, address, length }: PrefixBytes): Uint8Array | null {
  if (family === 'ipv6' || length > 30) return null;
  return address.map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, length - 8 * index))));
}

/** Six bytes. Throws RangeError. */
export function encodeMac(text: string): Uint8Array {
  const bytes = parseMacBytes(text);
  if (bytes === null) throw new RangeError(`not a MAC address: ${JSON.stringify(text)}`);
  return bytes;
}

/** Colon-separated; also of link-layer addresses that are not six bytes long ('' for none). */
export const decodeMac = (bytes: Uint8Array): string =>
  bytes.length === MAC_LENGTH
    ? macFromBytes(bytes)
    : Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
