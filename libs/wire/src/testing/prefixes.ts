import type { Decoded } from '../decoded';

/** Lengths of proper prefixes of `packet` that a decoder takes. All but the stated whole-message lengths must be refused. */
export const acceptedPrefixes = <T>(
  decode: (bytes: Uint8Array) => Decoded<T>,
  packet: Uint8Array,
): number[] => Array.from(packet.keys()).filter((length) => decode(packet.subarray(0, length)).ok);
