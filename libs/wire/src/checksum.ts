/** The Internet checksum: the ones' complement of the ones' complement sum of 16-bit words, RFC 1071. */

/**
 * Adds bytes, or those from `from` to `to`, to a running sum (start with 0). An odd last byte is padded with zero, so only the last part
 * may have odd length.
 */
export function addToSum(sum: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  const even = to - ((to - from) & 1);
  for (let i = from; i < even; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  return even < to ? sum + ((bytes[even] ?? 0) << 8) : sum;
}

/** The checksum of what was summed. A message whose checksum field is right sums to 0 with it. */
export function checksumOf(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/**
 * The checksum after 16-bit words of the message changed: HC' = ~(~HC + ~m + m'), RFC 1624 §3. `after`, of even length, takes the place
 * of the bytes of `before` from `at` on.
 */
export function adjustChecksum(checksum: number, before: Uint8Array, after: Uint8Array, at = 0): number {
  let sum = ~checksum & 0xffff;
  for (let i = 0; i < after.length; i += 2) {
    const old = ((before[at + i] ?? 0) << 8) | (before[at + i + 1] ?? 0);
    sum += (~old & 0xffff) + (((after[i] ?? 0) << 8) | (after[i + 1] ?? 0));
  }
  return checksumOf(sum);
}
