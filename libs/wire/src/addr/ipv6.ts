import ipaddr from 'ipaddr.js';

declare const brand: unique symbol;

/** An IPv6 address as canonical text of RFC 5952, "fd00::1", so that `===` compares addresses. */
export type Ipv6Address = string & { readonly [brand]: 'ipv6' };

export const IPV6_LENGTH = 16;

/** null for what is no IPv6 address, and for one with a zone ("fe80::1%eth0"): the interface is said apart. */
export function parseIpv6(text: string): Ipv6Address | null {
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  return ipv6FromBytes(Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray()));
}

/** `bytes` are exactly sixteen, in network order. */
export function ipv6FromBytes(bytes: Uint8Array): Ipv6Address {
  if (bytes.length !== IPV6_LENGTH) throw new RangeError(`an IPv6 address has 16 bytes, not ${bytes.length}`);
  return (isIpv4Mapped(bytes) ? `::ffff:${bytes.subarray(12).join('.')}` : shortest(bytes)) as Ipv6Address;
}

export const ipv6ToBytes = (address: Ipv6Address): Uint8Array =>
  Uint8Array.from(ipaddr.IPv6.parse(address).toByteArray());

/** fe80::/10, RFC 4291 §2.5.6. */
export const isLinkLocalIpv6 = (address: Ipv6Address): boolean =>
  ipaddr.IPv6.parse(address).range() === 'linkLocal';

/** ::ffff:0:0/96. RFC 5952 §5: such an address shows its IPv4 part, as inet_ntop(3) does. */
function isIpv4Mapped(bytes: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** RFC 5952 §4.2: the first of the longest runs of zero groups, of two or more, is "::". */
function shortest(bytes: Uint8Array): string {
  const group = (i: number): number => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0);
  let [start, length, run] = [8, 1, 0];
  for (let i = 0; i < 8; i++) {
    run = group(i) === 0 ? run + 1 : 0;
    if (run > length) [start, length] = [i - run + 1, run];
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      text += '::';
      i += length - 1;
    } else {
      text += text === '' || text.endsWith('::') ? group(i).toString(16) : `:${group(i).toString(16)}`;
    }
  }
  return text;
}
