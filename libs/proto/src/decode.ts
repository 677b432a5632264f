import { Cursor } from './cursor';
import { FIELDS, type Field, type MessageName } from './gen/messages';
import { WireType, wireTypeOf } from './wire-type';

/** Groups are a relic that only unknown fields may hold; nobody nests them. */
const MAX_GROUP_DEPTH = 16;

type Values = Record<string, unknown>;

/** The message in what is left of `cursor`, every field present; the cursor's fault says why it is none. `values`: its first part. */
export function readMessage(name: MessageName, cursor: Cursor, values: Values = defaultsOf(name)): Values {
  const fields = FIELDS[name];
  while (cursor.left > 0) {
    const tag = cursor.tag();
    const number = tag >>> 3;
    const wireType = tag & 7;
    const field = fields[number];
    if (field === undefined) {
      skipUnknown(cursor, number, wireType, 0);
      continue;
    }
    const was = values[field.name];
    const value = readField(cursor, field, number, wireType, field.repeated ? undefined : was);
    if (field.repeated) (was as unknown[]).push(value);
    else values[field.name] = value;
  }
  return values;
}

function defaultsOf(name: MessageName): Values {
  const { defaults, lists } = PATTERNS.get(name) ?? makePattern(name);
  const values = { ...defaults };
  for (const list of lists) values[list] = [];
  return values;
}

interface Pattern {
  readonly defaults: Values;
  /** Names of repeated fields: each message has arrays of its own. */
  readonly lists: readonly string[];
}

/** BOUNDED: by the messages that there are. */
const PATTERNS = new Map<MessageName, Pattern>();

function makePattern(name: MessageName): Pattern {
  const fields = Object.values(FIELDS[name]);
  const defaults = Object.fromEntries(
    fields.map((field) => [field.name, field.repeated ? [] : DEFAULT[field.kind]]),
  );
  const lists = fields.filter(({ repeated }) => repeated).map((field) => field.name);
  PATTERNS.set(name, { defaults, lists });
  return { defaults, lists };
}

const DEFAULT: Readonly<Record<Field['kind'], unknown>> = {
  int32: 0,
  uint32: 0,
  uint64: 0n,
  bool: false,
  string: '',
  bytes: new Uint8Array(),
  enum: 0,
  message: undefined,
};

function readField(cursor: Cursor, field: Field, number: number, wireType: number, was: unknown): unknown {
  const want = wireTypeOf(field.kind);
  if (wireType !== want) {
    cursor.refuse(`${labelOf(field, number)} has wire type ${wireType}, must be ${want}`);
    return undefined;
  }
  return want === WireType.varint ? readNumber(cursor, field) : readBody(cursor, field, number, was);
}

/** More bits than the field has are cut off, as protobuf does. */
function readNumber(cursor: Cursor, { kind }: Field): unknown {
  cursor.varint();
  const { low, high } = cursor;
  switch (kind) {
    case 'uint64':
      return (BigInt(high) << 32n) | BigInt(low);
    case 'uint32':
      return low;
    case 'bool':
      return low !== 0 || high !== 0;
    default:
      return low | 0; // int32, enum
  }
}

function readBody(cursor: Cursor, field: Field, number: number, was: unknown): unknown {
  const body = cursor.bytes();
  if (field.of !== undefined) {
    const inner = new Cursor(body);
    const message = readMessage(field.of, inner, was as Values | undefined);
    if (inner.fault !== undefined) cursor.refuse(`in ${labelOf(field, number)}: ${inner.fault}`);
    return message;
  }
  if (field.kind === 'bytes') return body.slice();
  try {
    return UTF8.decode(body);
  } catch {
    cursor.refuse(`${labelOf(field, number)} is not UTF-8`);
    return undefined;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const labelOf = ({ protoName }: Field, number: number): string => `field ${number} (${protoName})`;

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
    const tag = cursor.tag();
    const number = tag >>> 3;
    const wireType = tag & 7;
    if (wireType !== WireType.groupEnd) {
      skipUnknown(cursor, number, wireType, depth);
    } else {
      if (number !== group) cursor.refuse(`group ${group} ends as ${number}`);
      return;
    }
  }
  cursor.refuse('it is cut short');
}
