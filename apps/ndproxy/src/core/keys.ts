declare const brand: unique symbol;

/** Sixteen address bytes in a short string: the key of maps. Not for people. */
export type AddressKey = string & { readonly [brand]: 'address-key' };

export const addressKey = (a: Uint8Array): AddressKey =>
  String.fromCharCode(
    word(a, 0),
    word(a, 2),
    word(a, 4),
    word(a, 6),
    word(a, 8),
    word(a, 10),
    word(a, 12),
    word(a, 14),
  ) as AddressKey;

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Six bytes at `at` as a number, for comparing. */
export const macNumber = (bytes: Uint8Array, at = 0): number =>
  word(bytes, at) * 2 ** 32 + word(bytes, at + 2) * 2 ** 16 + word(bytes, at + 4);
