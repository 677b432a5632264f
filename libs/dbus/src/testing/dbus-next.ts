/**
 * dbus-next's marshalling, as the judge of ours. Its index would pull in its connection with an optional package that needs a
 * compiler, so its files are taken one by one.
 */
// @ts-expect-error dbus-next has types for its index only
import unmarshaller from 'dbus-next/lib/dbus-buffer';
// @ts-expect-error dbus-next has types for its index only
import marshaller from 'dbus-next/lib/marshall';
import type { FixedHeader } from '../wire/decode-header';
import { FIXED_HEADER_BYTES } from '../wire/limits';
import { parseSignature, parseSingleType, type Type } from '../wire/signature';
import { Variant, type Body } from '../wire/values';

/** What it makes of a type. */
interface Tree {
  readonly type: string;
  readonly child: readonly Tree[];
}

interface Reader {
  read(signature: string): unknown[];
  readArray(element: Tree, length: number): unknown[];
}

const Reader = unmarshaller as new (
  bytes: Buffer,
  start: number,
  endian: number,
  fds: readonly number[],
) => Reader;

const marshall = marshaller as (signature: string, raw: readonly unknown[]) => Buffer;

const readerOf = (bytes: Buffer, bigEndian: boolean, fdCount: number): Reader =>
  new Reader(
    bytes,
    0,
    (bigEndian ? 'B' : 'l').charCodeAt(0),
    Array.from({ length: fdCount }, (_, index) => index),
  );

/** The values by the fields' codes; throws where it refuses. */
export function readFields(message: Buffer, { bigEndian, fieldsBytes }: FixedHeader): Map<number, unknown> {
  const field: Tree = {
    type: '(',
    child: [
      { type: 'y', child: [] },
      { type: 'v', child: [] },
    ],
  };
  const fields = readerOf(message.subarray(FIXED_HEADER_BYTES), bigEndian, 0).readArray(field, fieldsBytes);
  return new Map(
    fields.map((raw) => {
      const [code, [, [value]]] = raw as [number, [unknown, [unknown]]];
      return [code, value];
    }),
  );
}

/** Throws where it refuses. */
export function readBody(bytes: Buffer, signature: string, bigEndian: boolean, fdCount: number): Body {
  const raw = readerOf(bytes, bigEndian, fdCount).read(signature);
  return parseSignature(signature).map((type, index) => fromRaw(type, raw[index], bigEndian));
}

/** Little-endian; throws where it refuses. */
export const writeBody = (signature: string, values: Body): Buffer =>
  marshall(
    signature,
    parseSignature(signature).map((type, index) => toRaw(type, values[index])),
  );

/** It has dicts as arrays of pairs, variants as [trees, [value]], bytes as Buffer; of big-endian 64-bit numbers it swaps the halves. */
function fromRaw(type: Type, raw: unknown, bigEndian: boolean): unknown {
  switch (type.code) {
    case 'x':
      return BigInt.asIntN(64, bigEndian ? swapHalves(raw as bigint) : (raw as bigint));
    case 't':
      return bigEndian ? swapHalves(raw as bigint) : raw;
    case 'v': {
      const [[tree], [value]] = raw as [[Tree], [unknown]];
      const signature = signatureOf(tree);
      return new Variant(signature, fromRaw(parseSingleType(signature), value, bigEndian));
    }
    case '(':
      return type.members.map((member, index) => fromRaw(member, (raw as unknown[])[index], bigEndian));
    case '{':
      return new Map(
        (raw as [unknown, unknown][]).map(([key, value]) => [
          fromRaw(type.key, key, bigEndian),
          fromRaw(type.value, value, bigEndian),
        ]),
      );
    case 'a':
      if (type.element.code === 'y') return Uint8Array.from(raw as Buffer);
      return (raw as unknown[]).map((item) => fromRaw(type.element, item, bigEndian));
    default:
      return raw;
  }
}

const swapHalves = (number: bigint): bigint => {
  const bits = BigInt.asUintN(64, number);
  return (BigInt.asUintN(32, bits) << 32n) | (bits >> 32n);
};

/** As it writes them, variants are [signature, value]. */
function toRaw(type: Type, value: unknown): unknown {
  switch (type.code) {
    case 'v': {
      const { signature, value: inner } = value as Variant;
      return [signature, toRaw(parseSingleType(signature), inner)];
    }
    case '(':
      return type.members.map((member, index) => toRaw(member, (value as unknown[])[index]));
    case '{':
      return [...(value as Map<unknown, unknown>)].map(([key, inner]) => [
        toRaw(type.key, key),
        toRaw(type.value, inner),
      ]);
    case 'a':
      return Array.from(value as ArrayLike<unknown>, (item) => toRaw(type.element, item));
    default:
      return value;
  }
}

function signatureOf({ type, child }: Tree): string {
  const inside = child.map(signatureOf).join('');
  return type === '(' ? `(${inside})` : type === '{' ? `{${inside}}` : type + inside;
}
