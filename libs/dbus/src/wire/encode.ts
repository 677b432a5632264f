import { DBUS_ERROR, DBusError, Malformed } from '../errors';
import {
  FLAG_NO_REPLY_EXPECTED,
  LITTLE_ENDIAN,
  MESSAGE_TYPE,
  PROTOCOL_VERSION,
  type MessageType,
} from './header';
import { FIELD, type FieldRule, type HeaderFields } from './header-fields';
import { FIXED_HEADER_BYTES, MAX_HEADER_BYTES, MAX_SENT_FDS } from './limits';
import { Marshaller } from './marshaller';
import { parseSignature, type Type } from './signature';
import type { Body } from './values';

/** A message to be sent. The sender's name is for the bus to fill in. */
export interface Outgoing extends Omit<HeaderFields, 'unixFds'> {
  readonly type: MessageType;
  readonly noReplyExpected?: boolean;
  /** Of the types that `signature` says; absent: none. */
  readonly values?: Body | undefined;
}

// D-Bus Specification, "Message Format": where the lengths stand.
const BODY_LENGTH_AT = 4;
const FIELDS_LENGTH_AT = 12;

/**
 * The whole message, little-endian. The bus ends the connection of who sends it what it forbids, so that throws: TypeError for names
 * and values that do not fit, DBusError LimitsExceeded for a message that is too large.
 */
export function encodeMessage(message: Outgoing, serial: number, fdCount = 0): Buffer {
  const { signature = '', values = [] } = message;
  if (fdCount > MAX_SENT_FDS)
    throw tooLarge(`${fdCount} file descriptors are more than the ${MAX_SENT_FDS} that a message may carry`);
  const out = new Marshaller(fdCount);
  try {
    writeHeader(out, message, serial, fdCount);
    const headerBytes = out.length;
    if (headerBytes > MAX_HEADER_BYTES)
      throw tooLarge(`a message header of ${headerBytes} bytes is larger than ${MAX_HEADER_BYTES}`);
    writeBody(out, parseSignature(signature), values);
    out.u32At(BODY_LENGTH_AT, out.length - headerBytes);
    return out.bytes;
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause;
    throw new TypeError(`the values do not fit the signature '${signature}'`, { cause });
  }
}

/** All that comes before the body, whose length is yet to be set. */
export function writeHeader(out: Marshaller, message: Outgoing, serial: number, fdCount: number): void {
  const flags = message.noReplyExpected === true ? FLAG_NO_REPLY_EXPECTED : 0;
  out.u32(LITTLE_ENDIAN | (MESSAGE_TYPE[message.type] << 8) | (flags << 16) | (PROTOCOL_VERSION << 24));
  out.u32(0); // length of the body
  out.u32(serial);
  out.u32(0); // length of the fields
  writeField(out, FIELD.path, message.path);
  writeField(out, FIELD.interface, message.interface);
  writeField(out, FIELD.member, message.member);
  writeField(out, FIELD.errorName, message.errorName);
  writeField(out, FIELD.replySerial, message.replySerial);
  writeField(out, FIELD.destination, message.destination);
  writeField(out, FIELD.sender, message.sender);
  if (message.signature !== '') writeField(out, FIELD.signature, message.signature);
  if (fdCount > 0) writeField(out, FIELD.unixFds, fdCount);
  out.u32At(FIELDS_LENGTH_AT, out.length - FIXED_HEADER_BYTES);
  out.align(8);
}

function writeField(out: Marshaller, rule: FieldRule, value: string | number | undefined): void {
  if (value === undefined) return;
  if (!rule.isValid(value)) throw new TypeError(`'${value}' cannot be the ${rule.name} of a D-Bus message`);
  out.align(8);
  out.u32(rule.start);
  if (typeof value === 'number') out.u32(value);
  else if (rule === FIELD.signature) out.signature(value);
  else out.string(value);
}

function writeBody(out: Marshaller, types: readonly Type[], values: Body): void {
  if (types.length !== values.length)
    throw new Malformed(`${values.length} values for ${types.length} types`);
  for (let index = 0; index < types.length; index++) {
    const type = types[index];
    if (type !== undefined) out.value(type, values[index]);
  }
}

const tooLarge = (sentence: string): DBusError => new DBusError(DBUS_ERROR.limitsExceeded, sentence);
