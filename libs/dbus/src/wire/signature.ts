import { Malformed } from '../errors';
import { SPEC_MAX_ARRAY_DEPTH, SPEC_MAX_SIGNATURE_BYTES, SPEC_MAX_STRUCT_DEPTH } from './limits';

/** One complete type: its code ('(' for a struct, '{' for a dict entry) and what is inside. The shape is that of dbus-next. */
export interface Type {
  readonly type: TypeCode;
  readonly child: readonly Type[];
}

const BASIC = 'ybnqiuxtdsogh';
const SINGLE: ReadonlyMap<string, Type> = new Map(
  Array.from(`${BASIC}v`, (code) => [code, { type: code as TypeCode, child: [] }]),
);

export type BasicCode = 'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h';
export type TypeCode = BasicCode | 'v' | 'a' | '(' | '{';

/** The types of a signature; throws `Malformed` where the specification's "Valid Signatures" is not kept. */
export function parseSignature(signature: string): readonly Type[] {
  if (signature.length > SPEC_MAX_SIGNATURE_BYTES)
    throw new Malformed('a signature is longer than 255 bytes');
  const reader = { signature, at: 0 };
  const types: Type[] = [];
  while (reader.at < signature.length) types.push(completeType(reader, 0, 0));
  return types;
}

/** As `parseSignature`, for exactly one type, as a variant has it. */
export function parseSingleType(signature: string): Type {
  const single = SINGLE.get(signature);
  if (single !== undefined) return single;
  const [type, ...rest] = parseSignature(signature);
  if (type === undefined || rest.length > 0) throw new Malformed(`'${signature}' is not exactly one type`);
  return type;
}

/** The inverse of `parseSingleType`. */
export function signatureOf(type: Type): string {
  const inside = type.child.map(signatureOf).join('');
  switch (type.type) {
    case '(':
      return `(${inside})`;
    case '{':
      return `{${inside}}`;
    default:
      return type.type + inside;
  }
}

export const isBasic = (code: string): code is BasicCode => BASIC.includes(code);

interface Reader {
  readonly signature: string;
  at: number;
}

function completeType(reader: Reader, arrays: number, structs: number): Type {
  const code = reader.signature[reader.at++];
  if (code === undefined) throw new Malformed(`signature '${reader.signature}' ends in the middle of a type`);
  if (code === 'a') return arrayType(reader, arrays + 1, structs);
  if (code === '(') return structType(reader, arrays, structs + 1);
  const single = SINGLE.get(code);
  if (single === undefined)
    throw new Malformed(`signature '${reader.signature}' has no type at ${reader.at - 1}`);
  return single;
}

function arrayType(reader: Reader, arrays: number, structs: number): Type {
  if (arrays > SPEC_MAX_ARRAY_DEPTH) throw new Malformed('a signature nests arrays deeper than 32');
  if (reader.signature[reader.at] !== '{')
    return { type: 'a', child: [completeType(reader, arrays, structs)] };
  reader.at += 1;
  if (structs + 1 > SPEC_MAX_STRUCT_DEPTH) throw new Malformed('a signature nests structs deeper than 32');
  const key = completeType(reader, arrays, structs + 1);
  if (!isBasic(key.type))
    throw new Malformed(`signature '${reader.signature}' has a dict key that is no basic type`);
  const value = completeType(reader, arrays, structs + 1);
  if (reader.signature[reader.at++] !== '}') {
    throw new Malformed(`signature '${reader.signature}' has a dict entry of more or less than two types`);
  }
  return { type: 'a', child: [{ type: '{', child: [key, value] }] };
}

function structType(reader: Reader, arrays: number, structs: number): Type {
  if (structs > SPEC_MAX_STRUCT_DEPTH) throw new Malformed('a signature nests structs deeper than 32');
  const child: Type[] = [];
  while (reader.signature[reader.at] !== ')') child.push(completeType(reader, arrays, structs));
  reader.at += 1;
  if (child.length === 0) throw new Malformed(`signature '${reader.signature}' has an empty struct`);
  return { type: '(', child };
}
