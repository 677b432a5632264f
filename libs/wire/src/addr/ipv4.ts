import ipaddr from 'ipaddr.js';

declare const brand: unique symbol;

/** An IPv4 address as canonical text, "100.115.92.1", so that `===` compares addresses. */
export type Ipv4Address = string & { readonly [brand]: 'ipv4' };

export const IPV4_LENGTH = 4;

/** null unless four decimal numbers without leading zeros ("010" means eight to some readers). */
export const parseIpv4 = (text: string): Ipv4Address | null =>
  ipaddr.IPv4.isValidFourPartDecimal(text) ? (text as Ipv4Address) : null;

/** `value` is the address as a number, first octet highest; anything above 32 bits is a broken caller. */
export function ipv4FromNumber(value: number): Ipv4Address {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new RangeError(`no IPv4 address: ${value}`);
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.') as Ipv4Address;
}

/** First octet highest, so that numbers sort as addresses do. */
export const ipv4ToNumber = (address: Ipv4Address): number =>
  address.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);

/** `bytes` are exactly four, in network order. */
export function ipv4FromBytes(bytes: Uint8Array): Ipv4Address {
  if (bytes.length !== IPV4_LENGTH) throw new RangeError(`an IPv4 address has 4 bytes, not ${bytes.length}`);
  return bytes.join('.') as Ipv4Address;
}

export const ipv4ToBytes = (address: Ipv4Address): Uint8Array => Uint8Array.from(address.split('.'), Number);
