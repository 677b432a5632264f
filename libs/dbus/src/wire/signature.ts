import { Malformed } from '../errors';
import { SPEC_MAX_ARRAY_DEPTH, SPEC_MAX_SIGNATURE_BYTES, SPEC_MAX_STRUCT_DEPTH } from './limits';

/** One complete type; '{' is a dict: an array of dict entries. */
export type Type = BasicType | ContainerType;

export interface BasicType {
  readonly code: 'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h';
}

export type ContainerType =
  | { readonly code: 'v' }
  | { readonly code: 'a'; readonly element: Type }
  | { readonly code: '('; readonly members: readonly Type[] }
  | DictType;

export interface DictType {
  readonly code: '{';
  readonly key: Type;
  readonly value: Type;
}

/** In bytes from the start of the message (D-Bus Specification, "Marshalling"). */
export const ALIGNMENT: Readonly<Record<Type['code'], number>> = {
  ...{ y: 1, g: 1, v: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4, '{': 4, x: 8, t: 8, d: 8 },
  '(': 8,
};

/** The types of a signature; throws `Malformed` where the specification's "Valid Signatures" is not kept. */
export function parseSignature(signature: string): readonly Type[] {
  return USUAL.get(signature) ?? parse(signature);
}

export function isSignature(text: string): boolean {
  try {
    parseSignature(text);
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

/** As `parseSignature`, for exactly one type, as a variant has it. */
export function parseSingleType(signature: string): Type {
  const [type, ...rest] = parseSignature(signature);
  if (type === undefined || rest.length > 0) throw new Malformed(`'${signature}' is not exactly one type`);
  return type;
}

/** The inverse of `parseSingleType`. */
export function signatureOf(type: Type): string {
  switch (type.code) {
    case 'a':
      return `a${signatureOf(type.element)}`;
    case '(':
      return `(${type.members.map(signatureOf).join('')})`;
    case '{':
      return `a{${signatureOf(type.key)}${signatureOf(type.value)}}`;
    default:
      return type.code;
  }
}

const BASIC = 'ybnqiuxtdsogh';
const SINGLE: ReadonlyMap<string, Type> = new Map(
  Array.from(`${BASIC}v`, (code) => [code, { code } as Type]),
);

/** The types of one letter, by its byte. */
export const SINGLE_OF_BYTE: readonly (Type | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  SINGLE.get(String.fromCharCode(byte)),
);

/** Parsed once: what nearly every message has. */
const USUAL: ReadonlyMap<string, readonly Type[]> = new Map(
  ['', ...SINGLE.keys(), 'ay', 'ayh', 'sss', 'a{sv}'].map((signature) => [signature, parse(signature)]),
);

interface Reader {
  readonly signature: string;
  at: number;
}

function parse(signature: string): readonly Type[] {
  if (signature.length > SPEC_MAX_SIGNATURE_BYTES)
    throw new Malformed('a signature is longer than 255 bytes');
  const reader = { signature, at: 0 };
  const types: Type[] = [];
  while (reader.at < signature.length) types.push(completeType(reader, 0, 0));
  return types;
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
    return { code: 'a', element: completeType(reader, arrays, structs) };
  reader.at += 1;
  if (structs + 1 > SPEC_MAX_STRUCT_DEPTH) throw new Malformed('a signature nests structs deeper than 32');
  const key = completeType(reader, arrays, structs + 1);
  if (!BASIC.includes(key.code))
    throw new Malformed(`signature '${reader.signature}' has a dict key that is no basic type`);
  const value = completeType(reader, arrays, structs + 1);
  if (reader.signature[reader.at++] !== '}') {
    throw new Malformed(`signature '${reader.signature}' has a dict entry of more or less than two types`);
  }
  return { code: '{', key, value };
}

function structType(reader: Reader, arrays: number, structs: number): Type {
  if (structs > SPEC_MAX_STRUCT_DEPTH) throw new Malformed('a signature nests structs deeper than 32');
  const members: Type[] = [];
  while (reader.signature[reader.at] !== ')') members.push(completeType(reader, arrays, structs));
  reader.at += 1;
  if (members.length === 0) throw new Malformed(`signature '${reader.signature}' has an empty struct`);
  return { code: '(', members };
}
