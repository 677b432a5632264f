declare const brand: unique symbol;

/** An IPv4 address as canonical text, "100.115.92.1", so that `===` compares addresses. */
export type Ipv4Address = string & { readonly [brand]: 'ipv4' };

export const IPV4_LENGTH = 4;

/** null unless four decimal numbers without leading zeros ("010" means eight to some readers). */
export const parseIpv4 = (text: string): Ipv4Address | null =>
  Number.isNaN(scan(text)) ? null : (text as Ipv4Address);

/** `value` is the address as a number, first octet highest; anything above 32 bits is a broken caller. */
export function ipv4FromNumber(value: number): Ipv4Address {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new RangeError(`no IPv4 address: ${value}`);
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Ipv4Address;
}

/** First octet highest, so that numbers sort as addresses do. */
export const ipv4ToNumber = (address: Ipv4Address): number => scan(address);

/** As `parseIpv4` and `ipv4ToBytes` in one pass. */
export function parseIpv4Bytes(text: string): Uint8Array | null {
  const value = scan(text);
  return Number.isNaN(value) ? null : bytesOf(value);
}

/** `bytes` are exactly four, in network order. */
export function ipv4FromBytes(bytes: Uint8Array): Ipv4Address {
  if (bytes.length !== IPV4_LENGTH) throw new RangeError(`an IPv4 address has 4 bytes, not ${bytes.length}`);
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` as Ipv4Address;
}

export const ipv4ToBytes = (address: Ipv4Address): Uint8Array => bytesOf(scan(address));

function bytesOf(value: number): Uint8Array {
  const bytes = new Uint8Array(IPV4_LENGTH);
  bytes[0] = value >>> 24;
  bytes[1] = value >>> 16;
  bytes[2] = value >>> 8;
  bytes[3] = value;
  return bytes;
}

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;

/** The text as a number; NaN unless it is four decimal numbers up to 255, each without leading zeros. */
function scan(text: string): number {
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === DOT && digits > 0) {
      value = value * 256 + octet;
      dots++;
      octet = digits = 0;
    } else if (char >= ZERO && char <= NINE && (digits === 0 || octet > 0)) {
      octet = octet * 10 + char - ZERO;
      digits++;
      if (octet > 255) return NaN;
    } else {
      return NaN;
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + octet : NaN;
}
