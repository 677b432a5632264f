import { ipv4FromBytes, ipv4ToBytes, parseIpv4, type Ipv4Address } from './ipv4';
import { ipv6FromBytes, ipv6ToBytes, parseIpv6, type Ipv6Address } from './ipv6';

export type Family = 'ipv4' | 'ipv6';

/** An address with a prefix length, "100.115.92.129/30": an interface's address, or a network when its host bits are zero. */
export type Cidr =
  | { readonly family: 'ipv4'; readonly address: Ipv4Address; readonly length: number }
  | { readonly family: 'ipv6'; readonly address: Ipv6Address; readonly length: number };

export const ADDRESS_BITS = { ipv4: 32, ipv6: 128 } as const;

/** null unless an address of either family, "/", and a length in decimal that fits the family. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const left = text.slice(0, slash);
  const ipv4 = parseIpv4(left);
  const length = parsePrefixLength(text.slice(slash + 1), ipv4 === null ? 'ipv6' : 'ipv4');
  if (length === null) return null;
  if (ipv4 !== null) return { family: 'ipv4', address: ipv4, length };
  const ipv6 = parseIpv6(left);
  return ipv6 === null ? null : { family: 'ipv6', address: ipv6, length };
}

/** null unless decimal, without leading zeros, and no more than an address has bits. */
export function parsePrefixLength(digits: string, family: Family): number | null {
  const length = /^(0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : NaN;
  return length <= ADDRESS_BITS[family] ? length : null;
}

export const formatCidr = ({ address, length }: Cidr): string => `${address}/${length}`;

export const cidrEqual = (a: Cidr, b: Cidr): boolean => a.address === b.address && a.length === b.length;

/** The same prefix with all host bits zero. */
export function networkOf(cidr: Cidr): Cidr {
  const bytes = bytesOf(cidr).map((byte, i) => byte & maskByte(cidr.length, i));
  return cidr.family === 'ipv4'
    ? { family: 'ipv4', address: ipv4FromBytes(bytes), length: cidr.length }
    : { family: 'ipv6', address: ipv6FromBytes(bytes), length: cidr.length };
}

/** All host bits are zero. */
export const isNetwork = (cidr: Cidr): boolean => cidrEqual(cidr, networkOf(cidr));

/** Every address of `inner` is one of `outer`; never so between families. Host bits do not count. */
export function cidrContains(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || inner.length < outer.length) return false;
  const [a, b] = [bytesOf(outer), bytesOf(inner)];
  return a.every((byte, i) => (((b[i] ?? 0) ^ byte) & maskByte(outer.length, i)) === 0);
}

/** One of the two holds the other; prefixes never overlap in part. */
export const cidrOverlaps = (a: Cidr, b: Cidr): boolean => cidrContains(a, b) || cidrContains(b, a);

/** The prefix of one address alone. */
export const hostCidr = (address: Ipv4Address | Ipv6Address): Cidr =>
  address.includes(':')
    ? { family: 'ipv6', address: address as Ipv6Address, length: ADDRESS_BITS.ipv6 }
    : { family: 'ipv4', address: address as Ipv4Address, length: ADDRESS_BITS.ipv4 };

const bytesOf = (cidr: Cidr): Uint8Array =>
  cidr.family === 'ipv4' ? ipv4ToBytes(cidr.address) : ipv6ToBytes(cidr.address);

/** Byte `i` of the netmask of this prefix length. */
const maskByte = (length: number, i: number): number =>
  (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))) & 0xff;
