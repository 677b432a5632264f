declare const brand: unique symbol;

/** Sixteen address bytes in a short string: the key of maps. Not for people. */
export type AddressKey = string & { readonly [brand]: 'address-key' };

/** Of an address, or of the one that begins at `at` in longer bytes. */
export const addressKey = (bytes: Uint8Array, at = 0): AddressKey =>
  String.fromCharCode(
    word(bytes, at),
    word(bytes, at + 2),
    word(bytes, at + 4),
    word(bytes, at + 6),
    word(bytes, at + 8),
    word(bytes, at + 10),
    word(bytes, at + 12),
    word(bytes, at + 14),
  ) as AddressKey;

/** The bytes that a key was made from; new ones each time. */
export function addressOf(key: AddressKey): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    const code = key.charCodeAt(i);
    bytes[2 * i] = code >>> 8;
    bytes[2 * i + 1] = code;
  }
  return bytes;
}

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Six bytes at `at` as a number, for comparing. */
export const macNumber = (bytes: Uint8Array, at = 0): number =>
  word(bytes, at) * 2 ** 32 + word(bytes, at + 2) * 2 ** 16 + word(bytes, at + 4);

/** The bytes that such a number was made from. */
export const macOf = (number: number): Uint8Array =>
  Uint8Array.from({ length: 6 }, (_, i) => Math.floor(number / 2 ** (40 - 8 * i)));
