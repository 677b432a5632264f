import { decodeFixedHeader } from '../wire/decode-header';
import { encodeMessage, writeHeader, type Outgoing } from '../wire/encode';
import { Marshaller } from '../wire/marshaller';
import type { Body } from '../wire/values';

/** A message whose body need not be what its signature says. */
export function rawMessage(message: Outgoing, serial: number, body: Uint8Array, fdCount = 0): Buffer {
  const header = new Marshaller(0);
  writeHeader(header, message, serial, fdCount);
  const bytes = Buffer.concat([header.bytes, body]);
  bytes.writeUInt32LE(body.length, 4);
  return bytes;
}

/** Marshalled values alone. */
export function encodeBody(signature: string, values: Body, fdCount: number): Buffer {
  const bytes = encodeMessage({ type: 'return', replySerial: 1, signature, values }, 1, fdCount);
  return bytes.subarray(decodeFixedHeader(bytes).headerBytes);
}
