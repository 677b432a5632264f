declare const brand: unique symbol;

/** An Ethernet address as canonical text, "02:00:5e:10:00:01": lower case, so that `===` compares addresses. */
export type MacAddress = string & { readonly [brand]: 'mac' };

export const MAC_LENGTH = 6;
const SHAPE = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** null when the text is not six pairs of hex digits with colons between. */
export function parseMac(text: string): MacAddress | null {
  const lower = text.toLowerCase();
  return SHAPE.test(lower) ? (lower as MacAddress) : null;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `bytes` are exactly six. */
export function macFromBytes(bytes: Uint8Array): MacAddress {
  if (bytes.length !== MAC_LENGTH) throw new RangeError(`a MAC address has 6 bytes, not ${bytes.length}`);
  let text = HEX[bytes[0] ?? 0] ?? '';
  for (let at = 1; at < MAC_LENGTH; at++) text += `:${HEX[bytes[at] ?? 0] ?? ''}`;
  return text as MacAddress;
}

export function macToBytes(mac: MacAddress): Uint8Array {
  const bytes = new Uint8Array(MAC_LENGTH);
  for (let at = 0; at < MAC_LENGTH; at++)
    bytes[at] = (hexDigit(mac.charCodeAt(3 * at)) << 4) | hexDigit(mac.charCodeAt(3 * at + 1));
  return bytes;
}

/** Of "0" to "9" and "a" to "f". */
const hexDigit = (code: number): number => (code <= 0x39 ? code - 0x30 : code - 0x57);
