import { parseSingleType, signatureOf, type Type } from './signature';

/**
 * How D-Bus values look in JavaScript: y n q i u d number, b boolean, x t bigint, s o g string, h the index of a descriptor,
 * `ay` Uint8Array, other arrays and structs Array, dicts Map, v Variant.
 */
export type Body = readonly unknown[];

/** A value with its own signature. */
export class Variant {
  constructor(
    readonly signature: string,
    readonly value: unknown,
  ) {}
}

/** From what dbus-next reads: dicts as arrays of pairs, variants as [types, [value]], bytes as a view of the message. */
export function fromRaw(type: Type, raw: unknown): unknown {
  switch (type.type) {
    case 'v':
      return variantFromRaw(raw as [readonly [Type], readonly [unknown]]);
    case '(':
      return members(type.child, raw as unknown[], fromRaw);
    case 'a':
      return arrayFromRaw(type.child[0], raw);
    default:
      return raw;
  }
}

/** To what dbus-next writes: dicts as arrays of pairs, variants as [signature, value]. Throws TypeError where a container is wrong. */
export function toRaw(type: Type, value: unknown): unknown {
  switch (type.type) {
    case 'v':
      if (!(value instanceof Variant)) throw new TypeError('a value of type v must be a Variant');
      return [value.signature, toRaw(parseSingleType(value.signature), value.value)];
    case '(':
      if (!Array.isArray(value) || value.length !== type.child.length) {
        throw new TypeError(`a value of type ${signatureOf(type)} must be an array of ${type.child.length}`);
      }
      return members(type.child, value, toRaw);
    case 'a':
      return arrayToRaw(type, value);
    default:
      return value;
  }
}

function variantFromRaw([[type], [raw]]: readonly [readonly [Type], readonly [unknown]]): Variant {
  return new Variant(signatureOf(type), fromRaw(type, raw));
}

function arrayFromRaw(element: Type | undefined, raw: unknown): unknown {
  if (element === undefined) return [];
  if (element.type === 'y') return plainBytes(raw as Buffer);
  if (element.type !== '{') return (raw as unknown[]).map((item) => fromRaw(element, item));
  return new Map(
    (raw as unknown[][]).map((entry) => members(element.child, entry, fromRaw) as [unknown, unknown]),
  );
}

function arrayToRaw(type: Type, value: unknown): unknown {
  const [element] = type.child;
  if (element === undefined) return [];
  if (element.type === 'y' && value instanceof Uint8Array) return value;
  if (element.type === '{') {
    if (!(value instanceof Map)) throw new TypeError(`a value of type ${signatureOf(type)} must be a Map`);
    return [...(value as Map<unknown, unknown>)].map((entry) => members(element.child, entry, toRaw));
  }
  if (!Array.isArray(value)) throw new TypeError(`a value of type ${signatureOf(type)} must be an array`);
  return value.map((item) => toRaw(element, item));
}

function members(
  types: readonly Type[],
  values: readonly unknown[],
  convert: (type: Type, value: unknown) => unknown,
): unknown[] {
  return types.map((type, index) => convert(type, values[index]));
}

function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
