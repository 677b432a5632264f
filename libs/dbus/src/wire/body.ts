import { Malformed } from '../errors';
import { parseSignature } from './signature';
import { Unmarshaller } from './unmarshaller';
import type { Body } from './values';

/** A body as it came: unchecked, in the sender's byte order. */
export interface RawBody {
  readonly bytes: Buffer;
  readonly signature: string;
  readonly bigEndian: boolean;
  readonly fdCount: number;
}

/** The values, or one sentence on why the bytes are none. */
export type DecodedBody =
  { readonly ok: true; readonly body: Body } | { readonly ok: false; readonly why: string };

/** Checks and decodes a body. The `ay` values in it are views of `raw.bytes`. */
export function decodeBody({ bytes, signature, bigEndian, fdCount }: RawBody): DecodedBody {
  try {
    const reader = new Unmarshaller({ bytes, start: 0, end: bytes.length, bigEndian, fdCount });
    const body: unknown[] = []; // BOUNDED: by the signature
    for (const type of parseSignature(signature)) body.push(reader.value(type));
    reader.finish();
    return { ok: true, body };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, why: error.message };
    throw error;
  }
}
