import { addToSum, checksumOf } from './checksum';
import type { Decoded } from './decoded';
import { NextHeader } from './ipv6';
import { Reader } from './reader';

export const ICMP6_HEADER = 4;

/** ICMPv6 types: errors of RFC 4443, MLD of RFC 2710 and 3810, neighbour discovery of RFC 4861 §4. */
export const Icmp6Type = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  echoRequest: 128,
  echoReply: 129,
  mldQuery: 130,
  mldReport: 131,
  mldDone: 132,
  routerSolicit: 133,
  routerAdvert: 134,
  neighborSolicit: 135,
  neighborAdvert: 136,
  redirect: 137,
  mld2Report: 143,
} as const;

/** An ICMPv6 message, RFC 4443 §2.1; `body` follows the checksum and is a view. */
export interface Icmp6Message {
  readonly type: number;
  readonly code: number;
  readonly checksum: number;
  readonly body: Uint8Array;
}

export function decodeIcmp6(message: Uint8Array): Decoded<Icmp6Message> {
  const r = new Reader(message);
  const type = r.u8();
  const code = r.u8();
  const checksum = r.u16be();
  const body = r.rest();
  return r.finish(() => ({ type, code, checksum, body }));
}

/** A message with its checksum, to go from `source` to `destination`. */
export function encodeIcmp6(
  { type, code, body }: Omit<Icmp6Message, 'checksum'>,
  source: Uint8Array,
  destination: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(ICMP6_HEADER + body.length);
  message[0] = type;
  message[1] = code;
  message.set(body, ICMP6_HEADER);
  return withIcmp6Checksum(message, source, destination);
}

/** Sets the checksum of `message` in place, and returns it. */
export function withIcmp6Checksum(
  message: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): Uint8Array {
  message[2] = 0;
  message[3] = 0;
  const checksum = icmp6Checksum(message, source, destination);
  message[2] = checksum >>> 8;
  message[3] = checksum;
  return message;
}

/** 0 for a message whose checksum is right; with a zero checksum field: what belongs there. The pseudo-header is RFC 8200 §8.1's. */
export function icmp6Checksum(message: Uint8Array, source: Uint8Array, destination: Uint8Array): number {
  const pseudo = addToSum(addToSum(message.length + NextHeader.icmp6, source), destination);
  return checksumOf(addToSum(pseudo, message));
}
