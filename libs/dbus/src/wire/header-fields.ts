import { isBusName, isInterfaceName, isMemberName, isObjectPath } from './names';
import { isSignature, parseSingleType, type Type } from './signature';

/** D-Bus Specification, "Header Fields". */
export interface HeaderFields {
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly sender?: string | undefined;
  /** Of the body. */
  readonly signature?: string | undefined;
  readonly unixFds?: number | undefined;
}

export type FieldName = keyof HeaderFields;

export interface FieldRule {
  readonly name: FieldName;
  /** The one type that its variant has. */
  readonly type: Type;
  /** What a field begins with, little-endian: the code, and a signature of one letter. */
  readonly start: number;
  /** Of a value that is a string or a number as the type has it: whether the field may have it. */
  readonly isValid: (value: unknown) => boolean;
}

/** Reserved for what a library tells its own program; the bus disconnects who sends it. */
const LOCAL = { path: '/org/freedesktop/DBus/Local', interface: 'org.freedesktop.DBus.Local' };

/** In order of their codes. */
export const FIELD = {
  path: rule(1, 'path', 'o', (path) => isObjectPath(path as string) && path !== LOCAL.path),
  interface: rule(2, 'interface', 's', (name) => isInterfaceName(name as string) && name !== LOCAL.interface),
  member: rule(3, 'member', 's', (name) => isMemberName(name as string)),
  errorName: rule(4, 'errorName', 's', (name) => isInterfaceName(name as string)),
  replySerial: rule(5, 'replySerial', 'u', (serial) => serial !== 0),
  destination: rule(6, 'destination', 's', (name) => isBusName(name as string)),
  sender: rule(7, 'sender', 's', (name) => isBusName(name as string)),
  signature: rule(8, 'signature', 'g', (signature) => isSignature(signature as string)),
  unixFds: rule(9, 'unixFds', 'u', () => true),
} as const satisfies Readonly<Record<FieldName, FieldRule>>;

export const FIELD_RULES: readonly FieldRule[] = Object.values(FIELD);

/** The rule of a code that is specified. */
export const ruleOf = (code: number): FieldRule | undefined => FIELD_RULES[code - 1];

function rule(code: number, name: FieldName, signature: string, isValid: FieldRule['isValid']): FieldRule {
  const start = code | (1 << 8) | (signature.charCodeAt(0) << 16);
  return { name, type: parseSingleType(signature), start, isValid };
}
