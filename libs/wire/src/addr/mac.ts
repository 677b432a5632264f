declare const brand: unique symbol;

/** An Ethernet address as canonical text, "02:00:5e:10:00:01": lower case, so that `===` compares addresses. */
export type MacAddress = string & { readonly [brand]: 'mac' };

export const MAC_LENGTH = 6;
const TEXT_LENGTH = 17;
const COLON = 0x3a;

/** null when the text is not six pairs of hex digits with colons between. */
export const parseMac = (text: string): MacAddress | null =>
  parseMacBytes(text) === null ? null : (text.toLowerCase() as MacAddress);

/** As `parseMac` and `macToBytes` in one pass. */
export function parseMacBytes(text: string): Uint8Array | null {
  if (text.length !== TEXT_LENGTH) return null;
  const bytes = new Uint8Array(MAC_LENGTH);
  for (let at = 0; at < MAC_LENGTH; at++) {
    const high = hexDigit(text.charCodeAt(3 * at));
    const low = hexDigit(text.charCodeAt(3 * at + 1));
    const isCut = at === 0 || text.charCodeAt(3 * at - 1) === COLON;
    if (high < 0 || low < 0 || !isCut) return null;
    bytes[at] = (high << 4) | low;
  }
  return bytes;
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

/** Of "0" to "9", "a" to "f" and "A" to "F"; -1 of anything else. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
