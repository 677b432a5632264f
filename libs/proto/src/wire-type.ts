import type { Field } from './gen/messages';

/** https://protobuf.dev/programming-guides/encoding: the low three bits of a tag. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

/** The one that a field of ours has. */
export const wireTypeOf = (kind: Field['kind']): number =>
  kind === 'message' || kind === 'string' || kind === 'bytes' ? WireType.bytes : WireType.varint;
