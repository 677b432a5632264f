import ipaddr from 'ipaddr.js';

declare const brand: unique symbol;

/** An IPv6 address as canonical text of RFC 5952, "fd00::1", so that `===` compares addresses. */
export type Ipv6Address = string & { readonly [brand]: 'ipv6' };

export const IPV6_LENGTH = 16;

/** null for what is no IPv6 address, and for one with a zone ("fe80::1%eth0"): the interface is said apart. */
export function parseIpv6(text: string): Ipv6Address | null {
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  return canonical(ipaddr.IPv6.parse(text));
}

/** `bytes` are exactly sixteen, in network order. */
export function ipv6FromBytes(bytes: Uint8Array): Ipv6Address {
  if (bytes.length !== IPV6_LENGTH) throw new RangeError(`an IPv6 address has 16 bytes, not ${bytes.length}`);
  return canonical(new ipaddr.IPv6([...bytes]));
}

export const ipv6ToBytes = (address: Ipv6Address): Uint8Array =>
  Uint8Array.from(ipaddr.IPv6.parse(address).toByteArray());

/** fe80::/10, RFC 4291 §2.5.6. */
export const isLinkLocalIpv6 = (address: Ipv6Address): boolean =>
  ipaddr.IPv6.parse(address).range() === 'linkLocal';

/** RFC 5952 §5: an IPv4-mapped address shows its IPv4 part, as inet_ntop(3) does. */
const canonical = (address: ipaddr.IPv6): Ipv6Address =>
  (address.isIPv4MappedAddress()
    ? `::ffff:${address.toIPv4Address().toString()}`
    : address.toRFC5952String()) as Ipv6Address;
