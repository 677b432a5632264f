import type { Json } from '@pp/ports';

/** A number that was written as decimal text, because JSON's numbers end at 2^53; absent is zero. */
export const bigintOf = (value: Json | undefined): bigint => (typeof value === 'string' ? BigInt(value) : 0n);
