import { accept, refuse, type Checked } from '@pp/base';
import { Writer } from 'protobufjs/minimal';
import { Cursor } from './cursor';
import { readMessage } from './decode';
import { FIELDS, type Field, type MessageName, type Messages } from './gen/messages';

/** What `encode` takes: fields left out or undefined are at their default, as proto3 has it. */
export type Init<T> = { readonly [K in keyof T]?: InitField<T[K]> | undefined };
type InitField<F> = F extends readonly (infer E)[] ? readonly InitItem<E>[] : InitItem<F>;
type InitItem<I> = I extends Uint8Array ? I : I extends object ? Init<I> : I;

/** The bytes of a message, fields in order of their numbers, defaults left out. A number outside its field's type is a bug and thrown. */
export function encode<M extends MessageName>(name: M, message: Init<Messages[M]>): Uint8Array {
  const writer = Writer.create();
  writeMessage(writer, name, message);
  return writer.finish();
}

/**
 * The message in `bytes`, every field present. Refused are bytes that do not parse and known fields of the wrong wire type; fields and
 * enum values that this version does not know are accepted: the former are dropped, the latter are kept as numbers.
 */
export function decodeStrict<M extends MessageName>(name: M, bytes: Uint8Array): Checked<Messages[M]> {
  const cursor = new Cursor(bytes);
  const message = readMessage(name, cursor);
  return cursor.fault === undefined
    ? accept(message as unknown as Messages[M])
    : refuse('InvalidArgument', `the body is not a ${name}: ${cursor.fault}`);
}

type Values = Readonly<Record<string, unknown>>;

/** How protobufjs holds 64 bits, whatever it calls the class. */
interface Halves {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

/** Straight from the values to the wire: a list of a thousand messages takes a tenth of the time that pbjs needs with objects of its own. */
function writeMessage(writer: Writer, name: MessageName, message: object): void {
  const values = message as Values;
  for (const [number, field] of fieldsOf(name)) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (!field.repeated) {
      if (field.kind === 'message' || !isDefault(value)) writeItem(writer, number, field, value);
    } else {
      for (const item of value as readonly unknown[]) writeItem(writer, number, field, item);
    }
  }
}

/** In order of their numbers. */
function fieldsOf(name: MessageName): readonly (readonly [number, Field])[] {
  const known = ORDERED.get(name);
  if (known !== undefined) return known;
  const fields = Object.entries(FIELDS[name]).map(([number, field]) => [Number(number), field] as const);
  fields.sort(([a], [b]) => a - b);
  ORDERED.set(name, fields);
  return fields;
}

/** BOUNDED: by the messages that there are. */
const ORDERED = new Map<MessageName, readonly (readonly [number, Field])[]>();

/** proto3: not written. */
const isDefault = (value: unknown): boolean =>
  value === 0 ||
  value === 0n ||
  value === false ||
  value === '' ||
  (value instanceof Uint8Array && value.length === 0);

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function writeItem(writer: Writer, number: number, field: Field, value: unknown): void {
  const tag = (wireType: number): Writer => writer.uint32((number << 3) | wireType);
  switch (field.kind) {
    case 'message':
      if (field.of === undefined) return;
      tag(LENGTH_DELIMITED).fork();
      writeMessage(writer, field.of, value as object);
      writer.ldelim();
      return;
    case 'uint64':
      tag(VARINT).uint64(uint64(field, value as bigint));
      return;
    case 'uint32':
      if ((value as number) >>> 0 !== value) throw outOfRange(field, value);
      tag(VARINT).uint32(value);
      return;
    case 'int32':
    case 'enum':
      if (((value as number) | 0) !== value) throw outOfRange(field, value);
      tag(VARINT).int32(value);
      return;
    case 'bool':
      tag(VARINT).bool(value as boolean);
      return;
    case 'string':
      tag(LENGTH_DELIMITED).string(value as string);
      return;
    case 'bytes':
      tag(LENGTH_DELIMITED).bytes(value as Uint8Array);
      return;
  }
}

/** What the writer takes: a number where that is exact, because a thousand counters need no bigint arithmetic each. */
function uint64(field: Field, value: bigint): number | Halves {
  if (value >= 0n && value <= MAX_SAFE) return Number(value);
  if (BigInt.asUintN(64, value) !== value) throw outOfRange(field, value);
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n), unsigned: true };
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const outOfRange = ({ kind, name }: Field, value: unknown): Error =>
  new Error(
    `broken invariant: ${name}=${String(value)} is ${kind.startsWith('u') ? `a ${kind}` : 'an int32'}`,
  );
