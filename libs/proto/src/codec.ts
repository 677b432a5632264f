import { accept, invariant, refuse, type Checked } from '@pp/base';
import { Writer } from 'protobufjs/minimal';
import { patchpanel } from './gen/codec';
import { FIELDS, type Field, type MessageName, type Messages } from './gen/messages';
import { wireFault } from './wire-fault';

/** What `encode` takes: fields left out or undefined are at their default, as proto3 has it. */
export type Init<T> = { readonly [K in keyof T]?: InitField<T[K]> | undefined };
type InitField<F> = F extends readonly (infer E)[] ? readonly InitItem<E>[] : InitItem<F>;
type InitItem<I> = I extends Uint8Array ? I : I extends object ? Init<I> : I;

/** The bytes of a message, fields in order of their numbers, defaults left out. A number outside its field's type is a bug and thrown. */
export function encode<M extends MessageName>(name: M, message: Init<Messages[M]>): Uint8Array {
  return codecOf(name).encode(toRaw(name, message), new Writer()).finish();
}

/**
 * The message in `bytes`, every field present. Refused are bytes that do not parse and known fields of the wrong wire type; fields and
 * enum values that this version does not know are accepted: the former are dropped, the latter are kept as numbers.
 */
export function decodeStrict<M extends MessageName>(name: M, bytes: Uint8Array): Checked<Messages[M]> {
  const fault = wireFault(name, bytes);
  if (fault !== undefined) return refuse('InvalidArgument', `the body is not a ${name}: ${fault}`);
  return accept(fromRaw(name, rawOf(name, bytes)) as unknown as Messages[M]);
}

/** pbjs 8.8.1 makes code for messages without fields that throws on unknown groups. There is nothing to decode in them anyway. */
function rawOf(name: MessageName, bytes: Uint8Array): object {
  return Object.keys(FIELDS[name]).length === 0 ? {} : codecOf(name).decode(bytes);
}

type Values = Readonly<Record<string, unknown>>;

/** How protobufjs holds 64 bits, whatever it calls the class. */
interface Halves {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

function codecOf(name: MessageName): (typeof patchpanel)[string] {
  const codec = patchpanel[name];
  invariant(codec !== undefined, `the generated code has ${name}`);
  return codec;
}

function toRaw(name: MessageName, message: object): Values {
  const values = message as Values;
  const set = Object.values(FIELDS[name]).filter((field) => values[field.name] !== undefined);
  return Object.fromEntries(set.map((field) => [field.name, mapField(field, values[field.name], rawItem)]));
}

function fromRaw(name: MessageName, message: object): Values {
  const values = message as Values; // unset fields are on its prototype
  const fields = Object.values(FIELDS[name]);
  return Object.fromEntries(
    fields.map((field) => [field.name, mapField(field, values[field.name], plainItem)]),
  );
}

function mapField(field: Field, value: unknown, item: (field: Field, value: unknown) => unknown): unknown {
  return field.repeated ? (value as readonly unknown[]).map((each) => item(field, each)) : item(field, value);
}

function rawItem(field: Field, value: unknown): unknown {
  switch (field.kind) {
    case 'message':
      return field.of === undefined ? undefined : toRaw(field.of, value as object);
    case 'uint64':
      return halves(field, value as bigint);
    case 'uint32':
      invariant((value as number) >>> 0 === value, `${field.name}=${String(value)} is a uint32`);
      return value;
    case 'int32':
    case 'enum':
      invariant(((value as number) | 0) === value, `${field.name}=${String(value)} is an int32`);
      return value;
    case 'bool':
    case 'string':
    case 'bytes':
      return value;
  }
}

function plainItem(field: Field, value: unknown): unknown {
  switch (field.kind) {
    case 'message':
      return field.of === undefined || value === null ? undefined : fromRaw(field.of, value as object);
    case 'uint64':
      return whole(value);
    case 'bytes':
      return new Uint8Array(value as Uint8Array); // the decoder gives a window into the message
    default:
      return value;
  }
}

function halves(field: Field, value: bigint): Halves {
  invariant(BigInt.asUintN(64, value) === value, `${field.name}=${String(value)} is a uint64`);
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n), unsigned: true };
}

function whole(value: unknown): bigint {
  // A number would have lost bits already; it comes only where the package `long` is missing.
  invariant(typeof value === 'object' && value !== null, 'protobufjs found its package long');
  const { low, high } = value as Halves;
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
