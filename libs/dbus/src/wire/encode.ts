import { DBUS_ERROR, DBusError } from '../errors';
import {
  FIELD,
  FLAG_NO_REPLY_EXPECTED,
  LITTLE_ENDIAN,
  MESSAGE_TYPE,
  PROTOCOL_VERSION,
  type MessageType,
} from './header';
import { FIXED_HEADER_BYTES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, MAX_SENT_FDS } from './limits';
import { isBusName, isInterfaceName, isMemberName, isObjectPath } from './names';

/** A message to be sent. The sender's name is the bus's to fill in. */
export interface Outgoing {
  readonly type: MessageType;
  readonly serial: number;
  readonly noReplyExpected?: boolean;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly signature?: string | undefined;
  /** Marshalled little-endian. */
  readonly body?: Buffer | undefined;
  readonly fdCount?: number | undefined;
}

/**
 * The whole message, little-endian. Throws TypeError for a name that the specification forbids, since the bus would disconnect who
 * sends it; DBusError LimitsExceeded for a message that is too large. Written by hand: dbus-next takes 12 us for a header.
 */
export function encodeMessage(message: Outgoing): Buffer {
  const fields = headerFields(message);
  const fieldsEnd = fields.reduce((at, field) => align8(at) + field.length, FIXED_HEADER_BYTES);
  const bodyStart = align8(fieldsEnd);
  const bodyBytes = message.body?.length ?? 0;
  refuseTooLarge(bodyStart, bodyBytes, message.fdCount ?? 0);
  const bytes = Buffer.allocUnsafe(bodyStart + bodyBytes).fill(0, 0, bodyStart);
  bytes[0] = LITTLE_ENDIAN;
  bytes[1] = MESSAGE_TYPE[message.type];
  bytes[2] = message.noReplyExpected === true ? FLAG_NO_REPLY_EXPECTED : 0;
  bytes[3] = PROTOCOL_VERSION;
  bytes.writeUInt32LE(bodyBytes, 4);
  bytes.writeUInt32LE(message.serial, 8);
  bytes.writeUInt32LE(fieldsEnd - FIXED_HEADER_BYTES, 12);
  let at = FIXED_HEADER_BYTES;
  for (const field of fields) at = writeField(bytes, align8(at), field);
  if (message.body !== undefined) bytes.set(message.body, bodyStart);
  return bytes;
}

/** One header field; `length` is that of its struct, from the code to the end of the value. All text in a header is ASCII. */
interface Field {
  readonly code: number;
  readonly type: 's' | 'o' | 'g' | 'u';
  readonly value: string | number;
  readonly length: number;
}

const VARIANT_BYTES = 4; // code, signature length, one type code, NUL

function headerFields(message: Outgoing): Field[] {
  const fields: Field[] = []; // BOUNDED: one per field name
  const text = (
    code: number,
    type: 's' | 'o',
    value: string | undefined,
    isValid: (text: string) => boolean,
  ): void => {
    if (value === undefined) return;
    if (!isValid(value)) throw new TypeError(`'${value}' cannot be header field ${code} of a D-Bus message`);
    fields.push({ code, type, value, length: VARIANT_BYTES + 4 + value.length + 1 });
  };
  const number = (code: number, value: number | undefined): void => {
    if (value !== undefined) fields.push({ code, type: 'u', value, length: VARIANT_BYTES + 4 });
  };
  text(FIELD.path, 'o', message.path, isObjectPath);
  text(FIELD.interface, 's', message.interface, isInterfaceName);
  text(FIELD.member, 's', message.member, isMemberName);
  text(FIELD.errorName, 's', message.errorName, isInterfaceName);
  number(FIELD.replySerial, message.replySerial);
  text(FIELD.destination, 's', message.destination, isBusName);
  const { signature = '', fdCount = 0 } = message;
  if (signature !== '') {
    fields.push({
      code: FIELD.signature,
      type: 'g',
      value: signature,
      length: VARIANT_BYTES + 1 + signature.length + 1,
    });
  }
  if (fdCount > 0) number(FIELD.unixFds, fdCount);
  return fields;
}

function writeField(bytes: Buffer, start: number, { code, type, value, length }: Field): number {
  bytes[start] = code;
  bytes[start + 1] = 1;
  bytes[start + 2] = type.charCodeAt(0);
  const at = start + VARIANT_BYTES;
  if (typeof value === 'number') {
    bytes.writeUInt32LE(value, at);
  } else if (type === 'g') {
    bytes[at] = value.length;
    bytes.write(value, at + 1, 'latin1');
  } else {
    bytes.writeUInt32LE(value.length, at);
    bytes.write(value, at + 4, 'latin1');
  }
  return start + length;
}

function refuseTooLarge(headerBytes: number, bodyBytes: number, fds: number): void {
  const refuse = (what: string): never => {
    throw new DBusError(DBUS_ERROR.limitsExceeded, what);
  };
  if (headerBytes > MAX_HEADER_BYTES)
    refuse(`a message header of ${headerBytes} bytes is larger than ${MAX_HEADER_BYTES}`);
  if (headerBytes + bodyBytes > MAX_MESSAGE_BYTES) refuse(`a body of ${bodyBytes} bytes is too large`);
  if (fds > MAX_SENT_FDS)
    refuse(`${fds} file descriptors are more than the ${MAX_SENT_FDS} that a message may carry`);
}

const align8 = (offset: number): number => (offset + 7) & ~7;
