import { Malformed, ProtocolError } from '../errors';
import {
  BIG_ENDIAN,
  FLAG_NO_REPLY_EXPECTED,
  LITTLE_ENDIAN,
  MESSAGE_TYPE,
  PROTOCOL_VERSION,
  type Header,
} from './header';
import { ruleOf, type FieldName, type HeaderFields } from './header-fields';
import { FIXED_HEADER_BYTES, SPEC_MAX_ARRAY_BYTES, SPEC_MAX_MESSAGE_BYTES } from './limits';
import { Unmarshaller } from './unmarshaller';
import { noFields, usualFields, type KnownCalls } from './usual-fields';

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
  const endian = bytes[0];
  if (endian !== LITTLE_ENDIAN && endian !== BIG_ENDIAN)
    throw new ProtocolError('a message of unknown byte order');
  const type = bytes.readUInt8(1);
  const flags = bytes.readUInt8(2);
  const version = bytes.readUInt8(3);
  if (version !== PROTOCOL_VERSION) throw new ProtocolError(`a message of protocol version ${version}`);
  if (type === 0) throw new ProtocolError('a message of type 0');
  const bigEndian = endian === BIG_ENDIAN;
  const bodyBytes = bigEndian ? bytes.readUInt32BE(4) : bytes.readUInt32LE(4);
  const serial = bigEndian ? bytes.readUInt32BE(8) : bytes.readUInt32LE(8);
  const fieldsBytes = bigEndian ? bytes.readUInt32BE(12) : bytes.readUInt32LE(12);
  if (serial === 0) throw new ProtocolError('a message with serial 0');
  if (fieldsBytes > SPEC_MAX_ARRAY_BYTES)
    throw new ProtocolError('a message with more than 64 MiB of header fields');
  const headerBytes = FIXED_HEADER_BYTES + ((fieldsBytes + 7) & -8);
  if (headerBytes + bodyBytes > SPEC_MAX_MESSAGE_BYTES)
    throw new ProtocolError('a message of more than 128 MiB');
  return { bigEndian, type, flags, serial, fieldsBytes, headerBytes, bodyBytes };
}

/**
 * Reads the fields; `bytes` holds the whole header. The header is undefined for a message type that is not specified yet: it must be
 * ignored, but its descriptors count. Throws ProtocolError. `calls`: what is known of those that came before.
 */
export function decodeHeader(
  bytes: Buffer,
  fixed: FixedHeader,
  calls: KnownCalls,
): { readonly header: Header | undefined; readonly unixFds: number } {
  try {
    const end = FIXED_HEADER_BYTES + fixed.fieldsBytes;
    const fields = easyFields(bytes, end, fixed, calls) ?? readFields(bytes, end, fixed.bigEndian);
    if (!isZero(bytes, end, fixed.headerBytes)) throw new Malformed('padding is not zero');
    return { header: headerOf(fixed, fields), unixFds: fields.unixFds ?? 0 };
  } catch (cause) {
    if (cause instanceof Malformed) throw new ProtocolError('a message with a malformed header', { cause });
    throw cause;
  }
}

function easyFields(
  bytes: Buffer,
  end: number,
  { bigEndian, type }: FixedHeader,
  calls: KnownCalls,
): HeaderFields | undefined {
  if (bigEndian) return undefined;
  return type === MESSAGE_TYPE.call ? calls.fieldsOf(bytes, end) : usualFields(bytes, end);
}

/** A field's value is in a variant in a struct in an array. */
const VALUE_DEPTH = 3;

/** Any message's fields, one by one; throws Malformed. `end`: of the fields. */
export function readFields(bytes: Buffer, end: number, bigEndian: boolean): HeaderFields {
  const reader = new Unmarshaller({ bytes, start: FIXED_HEADER_BYTES, end, bigEndian, fdCount: 0 });
  const fields = noFields();
  while (!reader.isAtEnd) {
    reader.align(8);
    const code = reader.byte();
    if (code === 0) throw new Malformed('there is a header field 0');
    const type = reader.singleType();
    const value = reader.value(type, VALUE_DEPTH);
    const rule = ruleOf(code);
    if (rule === undefined) continue; // unknown fields must be ignored
    const { name } = rule;
    if (fields[name] !== undefined) throw new Malformed(`there are two fields ${name}`);
    if (type !== rule.type || !rule.isValid(value)) throw new Malformed(`the field ${name} is not valid`);
    fields[name] = value;
  }
  return fields as HeaderFields; // each rule has the type of its field
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** D-Bus Specification, "Header Fields": which are required by which message type. */
function headerOf(fixed: FixedHeader, fields: HeaderFields): Header | undefined {
  const { sender, destination, signature = '' } = fields;
  if (fixed.bodyBytes > 0 && signature === '') throw new Malformed('there is a body without a signature');
  const { serial } = fixed;
  const noReplyExpected = (fixed.flags & FLAG_NO_REPLY_EXPECTED) !== 0;
  switch (fixed.type) {
    case MESSAGE_TYPE.call: {
      const path = needed('path', fields.path);
      const member = needed('member', fields.member);
      const { interface: name } = fields;
      return {
        type: 'call',
        path,
        interface: name,
        member,
        serial,
        noReplyExpected,
        sender,
        destination,
        signature,
      };
    }
    case MESSAGE_TYPE.return: {
      const replySerial = needed('replySerial', fields.replySerial);
      return { type: 'return', replySerial, serial, noReplyExpected, sender, destination, signature };
    }
    case MESSAGE_TYPE.error: {
      const replySerial = needed('replySerial', fields.replySerial);
      const errorName = needed('errorName', fields.errorName);
      return {
        type: 'error',
        replySerial,
        errorName,
        serial,
        noReplyExpected,
        sender,
        destination,
        signature,
      };
    }
    case MESSAGE_TYPE.signal: {
      const path = needed('path', fields.path);
      const name = needed('interface', fields.interface);
      const member = needed('member', fields.member);
      return {
        type: 'signal',
        path,
        interface: name,
        member,
        serial,
        noReplyExpected,
        sender,
        destination,
        signature,
      };
    }
    default:
      return undefined;
  }
}

function needed<T>(name: FieldName, value: T | undefined): T {
  if (value === undefined) throw new Malformed(`the field ${name} is missing`);
  return value;
}
