import { Malformed, ProtocolError } from '../errors';
import { checkAndNormalise } from './check';
import { dbusNextReader } from './dbus-next';
import {
  BIG_ENDIAN,
  FLAG_NO_REPLY_EXPECTED,
  LITTLE_ENDIAN,
  MESSAGE_TYPE,
  PROTOCOL_VERSION,
  type Header,
} from './header';
import { Fields, RULE_OF_CODE } from './header-fields';
import { FIXED_HEADER_BYTES, SPEC_MAX_ARRAY_BYTES, SPEC_MAX_MESSAGE_BYTES } from './limits';
import { parseSingleType, type Type } from './signature';
import { readUsualFields } from './usual-fields';

/** What the first 16 bytes say. */
export interface FixedHeader {
  readonly bigEndian: boolean;
  readonly type: number;
  readonly flags: number;
  readonly serial: number;
  readonly fieldsBytes: number;
  /** Fixed part, fields and padding: where the body starts. */
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

/** Reads the fixed part; throws ProtocolError when its lengths cannot be believed. */
export function decodeFixedHeader(bytes: Buffer): FixedHeader {
  const [endian, type = 0, flags = 0, version] = bytes;
  if (endian !== LITTLE_ENDIAN && endian !== BIG_ENDIAN)
    throw new ProtocolError('a message of unknown byte order');
  if (version !== PROTOCOL_VERSION)
    throw new ProtocolError(`a message of protocol version ${String(version)}`);
  if (type === 0) throw new ProtocolError('a message of type 0');
  const bigEndian = endian === BIG_ENDIAN;
  const u32 = (at: number): number => (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const bodyBytes = u32(4);
  const serial = u32(8);
  const fieldsBytes = u32(12);
  if (serial === 0) throw new ProtocolError('a message with serial 0');
  if (fieldsBytes > SPEC_MAX_ARRAY_BYTES)
    throw new ProtocolError('a message with more than 64 MiB of header fields');
  const headerBytes = FIXED_HEADER_BYTES + Math.ceil(fieldsBytes / 8) * 8;
  if (headerBytes + bodyBytes > SPEC_MAX_MESSAGE_BYTES)
    throw new ProtocolError('a message of more than 128 MiB');
  return { bigEndian, type, flags, serial, fieldsBytes, headerBytes, bodyBytes };
}

/**
 * Reads the fields; `bytes` holds the whole header and is turned to little-endian in place. The header is undefined for a message
 * type that is not specified yet: it must be ignored, but its descriptors count. Throws ProtocolError.
 */
export function decodeHeader(
  bytes: Buffer,
  fixed: FixedHeader,
): { readonly header: Header | undefined; readonly unixFds: number } {
  try {
    const fields = readFields(bytes, fixed);
    return { header: headerOf(fixed, fields), unixFds: fields.number('unixFds') ?? 0 };
  } catch (cause) {
    if (cause instanceof Malformed) throw new ProtocolError('a message with a malformed header', { cause });
    throw cause;
  }
}

const FIELD_TYPE = parseSingleType('(yv)');
const FIELDS_TYPE: Type = { type: 'a', child: [FIELD_TYPE] };

function readFields(bytes: Buffer, fixed: FixedHeader): Fields {
  const end = FIXED_HEADER_BYTES + fixed.fieldsBytes;
  for (let at = end; at < fixed.headerBytes; at += 1)
    if (bytes[at] !== 0) throw new Malformed('padding is not zero');
  return (fixed.bigEndian ? undefined : readUsualFields(bytes, end)) ?? readAnyFields(bytes, fixed, end);
}

/** Of any header; exported as the judge of `readUsualFields`. */
export function readAnyFields(bytes: Buffer, { bigEndian, fieldsBytes }: FixedHeader, end: number): Fields {
  checkAndNormalise([FIELDS_TYPE], { bytes, start: FIXED_HEADER_BYTES - 4, end, bigEndian, fdCount: 0 });
  const reader = dbusNextReader(bytes.subarray(FIXED_HEADER_BYTES), 0);
  const fields = new Fields();
  for (const field of reader.readArray(FIELD_TYPE, fieldsBytes)) add(fields, field as RawField);
  return fields;
}

/** A struct of a code and a variant, as dbus-next reads it. */
type RawField = readonly [number, readonly [readonly [Type], readonly [string | number]]];

function add(fields: Fields, [code, [[type], [value]]]: RawField): void {
  if (code === 0) throw new Malformed('there is a header field 0');
  const rule = RULE_OF_CODE[code];
  if (rule === undefined) return; // unknown fields must be ignored
  if (fields.has(rule.name)) throw new Malformed(`there are two fields ${rule.name}`);
  const isRight = type.type === rule.type && (typeof value !== 'string' || (rule.isValid?.(value) ?? true));
  if (!isRight) throw new Malformed(`the field ${rule.name} is not valid`);
  fields.set(rule.name, value);
}

/** D-Bus Specification, "Header Fields": which are required by which message type. */
function headerOf(fixed: FixedHeader, fields: Fields): Header | undefined {
  const signature = fields.text('signature') ?? '';
  if (fixed.bodyBytes > 0 && signature === '') throw new Malformed('there is a body without a signature');
  const common = {
    serial: fixed.serial,
    noReplyExpected: (fixed.flags & FLAG_NO_REPLY_EXPECTED) !== 0,
    sender: fields.text('sender'),
    destination: fields.text('destination'),
    signature,
  };
  switch (fixed.type) {
    case MESSAGE_TYPE.call: {
      const [path, member] = [fields.needText('path'), fields.needText('member')];
      return { ...common, type: 'call', path, interface: fields.text('interface'), member };
    }
    case MESSAGE_TYPE.return:
      return { ...common, type: 'return', replySerial: fields.needNumber('replySerial') };
    case MESSAGE_TYPE.error: {
      const [replySerial, errorName] = [fields.needNumber('replySerial'), fields.needText('errorName')];
      return { ...common, type: 'error', replySerial, errorName };
    }
    case MESSAGE_TYPE.signal: {
      const [path, member] = [fields.needText('path'), fields.needText('member')];
      return { ...common, type: 'signal', path, interface: fields.needText('interface'), member };
    }
    default:
      return undefined;
  }
}
