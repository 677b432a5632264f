import { Malformed } from '../errors';
import { checkAndNormalise } from './check';
import { dbusNextMarshall, dbusNextReader } from './dbus-next';
import { parseSignature } from './signature';
import { fromRaw, toRaw, type Body } from './values';

/** A body as it came: unchecked, in the sender's byte order. `decodeBody` may turn `bytes` in place. */
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
export function decodeBody(raw: RawBody): DecodedBody {
  try {
    return { ok: true, body: fastDecode(raw) ?? generalDecode(raw) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, why: error.message };
    throw error;
  }
}

/**
 * Marshals values, little-endian. Throws TypeError when they do not fit the signature: sending what the bus forbids would end the
 * connection.
 */
export function encodeBody(signature: string, body: Body, fdCount: number): Buffer {
  return fastEncode(signature, body, fdCount) ?? generalEncode(signature, body, fdCount);
}

/** `ay` and `ayh`, the signatures of our own API, without a look at each byte. */
function fastDecode({ bytes, signature, bigEndian, fdCount }: RawBody): Body | undefined {
  if (bigEndian || (signature !== 'ay' && signature !== 'ayh') || bytes.length < 4) return undefined;
  const end = 4 + bytes.readUInt32LE(0);
  if (end > bytes.length) return undefined;
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + 4, end - 4);
  if (signature === 'ay') return end === bytes.length ? [data] : undefined;
  const padded = align4(end);
  if (padded + 4 !== bytes.length || bytes.subarray(end, padded).some((pad) => pad !== 0)) return undefined;
  const index = bytes.readUInt32LE(padded);
  return index < fdCount ? [data, index] : undefined;
}

function generalDecode({ bytes, signature, bigEndian, fdCount }: RawBody): Body {
  const types = parseSignature(signature);
  checkAndNormalise(types, { bytes, start: 0, end: bytes.length, bigEndian, fdCount });
  const raw = dbusNextReader(bytes, fdCount).readStruct(types);
  return types.map((type, index) => fromRaw(type, raw[index]));
}

function fastEncode(signature: string, body: Body, fdCount: number): Buffer | undefined {
  const [data, index] = body;
  const withFd = signature === 'ayh';
  if ((!withFd && signature !== 'ay') || body.length !== signature.length - 1) return undefined;
  if (!(data instanceof Uint8Array)) return undefined;
  const end = 4 + data.length;
  const bytes = Buffer.allocUnsafe(withFd ? align4(end) + 4 : end);
  bytes.writeUInt32LE(data.length, 0);
  bytes.set(data, 4);
  if (!withFd) return bytes;
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= fdCount)
    return undefined;
  bytes.fill(0, end);
  bytes.writeUInt32LE(index, align4(end));
  return bytes;
}

/** dbus-next lets some invalid values through (object paths, lone descriptor indices): what it wrote is checked as if received. */
function generalEncode(signature: string, body: Body, fdCount: number): Buffer {
  try {
    const types = parseSignature(signature);
    if (types.length !== body.length) throw new Malformed(`${body.length} values for ${types.length} types`);
    const bytes = dbusNextMarshall(
      signature,
      types.map((type, index) => toRaw(type, body[index])),
    );
    checkAndNormalise(types, { bytes, start: 0, end: bytes.length, bigEndian: false, fdCount });
    return bytes;
  } catch (cause) {
    throw new TypeError(`the values do not fit the signature '${signature}'`, { cause });
  }
}

const align4 = (offset: number): number => (offset + 3) & ~3;
