/** Bytes from hex with spaces, colons, line ends, and `# comments` to the end of a line. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/#.*$/gm, '').replaceAll(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new RangeError(`not hex: ${text}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
