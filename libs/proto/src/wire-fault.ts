import { FIELDS, type Field, type MessageName } from './gen/messages';
import { Cursor } from './cursor';

/** https://protobuf.dev/programming-guides/encoding: the low three bits of a tag. */
const WireType = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const WITH_LENGTH: ReadonlySet<Field['kind']> = new Set(['message', 'string', 'bytes']);

/** Groups are a relic that only unknown fields may hold; nobody nests them. */
const MAX_GROUP_DEPTH = 16;

/** Says in a few words why `bytes` are no message of this name, or nothing where they are one. */
export function wireFault(name: MessageName, bytes: Uint8Array): string | undefined {
  const cursor = new Cursor(bytes);
  checkMessage(name, cursor);
  return cursor.fault;
}

function checkMessage(name: MessageName, cursor: Cursor): void {
  while (cursor.left > 0) {
    const { number, wireType } = cursor.tag();
    const field = FIELDS[name][number];
    if (field === undefined) skipUnknown(cursor, number, wireType, 0);
    else checkField(cursor, field, number, wireType);
  }
}

function checkField(cursor: Cursor, field: Field, number: number, wireType: number): void {
  const label = `field ${number} (${field.protoName})`;
  const want = WITH_LENGTH.has(field.kind) ? WireType.bytes : WireType.varint;
  if (wireType !== want) {
    cursor.refuse(`${label} has wire type ${wireType}, must be ${want}`);
  } else if (want === WireType.varint) {
    cursor.varint();
  } else {
    checkBody(cursor, field, label);
  }
}

function checkBody(cursor: Cursor, field: Field, label: string): void {
  const body = cursor.bytes();
  if (field.of === undefined) {
    if (field.kind === 'string' && !isUtf8(body)) cursor.refuse(`${label} is not UTF-8`);
    return;
  }
  const fault = wireFault(field.of, body);
  if (fault !== undefined) cursor.refuse(`in ${label}: ${fault}`);
}

function skipUnknown(cursor: Cursor, number: number, wireType: number, depth: number): void {
  if (number === 0) cursor.refuse('a field has the number 0');
  switch (wireType) {
    case WireType.varint:
      cursor.varint();
      return;
    case WireType.fixed64:
      cursor.skip(8);
      return;
    case WireType.bytes:
      cursor.bytes();
      return;
    case WireType.groupStart:
      skipGroup(cursor, number, depth + 1);
      return;
    case WireType.fixed32:
      cursor.skip(4);
      return;
    case WireType.groupEnd:
      cursor.refuse(`group ${number} ends but never began`);
      return;
    default:
      cursor.refuse(`field ${number} has the unknown wire type ${wireType}`);
  }
}

function skipGroup(cursor: Cursor, group: number, depth: number): void {
  if (depth > MAX_GROUP_DEPTH) cursor.refuse('groups are nested too deeply');
  while (cursor.left > 0) {
    const { number, wireType } = cursor.tag();
    if (wireType !== WireType.groupEnd) {
      skipUnknown(cursor, number, wireType, depth);
    } else {
      if (number !== group) cursor.refuse(`group ${group} ends as ${number}`);
      return;
    }
  }
  cursor.refuse('it is cut short');
}

/** Decoding puts U+FFFD for what is wrong, and then it does not come back as the same bytes. */
function isUtf8(bytes: Uint8Array): boolean {
  const again = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  return again.length === bytes.length && again.every((byte, place) => byte === bytes[place]);
}
