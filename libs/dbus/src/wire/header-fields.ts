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
  /** The value that a message without it has. */
  readonly whenAbsent: string | number | undefined;
}

/** Reserved for what a library tells its own program; the bus disconnects who sends it. */
const LOCAL = { path: '/org/freedesktop/DBus/Local', interface: 'org.freedesktop.DBus.Local' };

export const FIELD_RULES: readonly FieldRule[] = [
  rule(1, 'path', 'o', { isValid: (path) => isObjectPath(path as string) && path !== LOCAL.path }),
  rule(2, 'interface', 's', {
    isValid: (name) => isInterfaceName(name as string) && name !== LOCAL.interface,
  }),
  rule(3, 'member', 's', { isValid: (name) => isMemberName(name as string) }),
  rule(4, 'errorName', 's', { isValid: (name) => isInterfaceName(name as string) }),
  rule(5, 'replySerial', 'u', { isValid: (serial) => serial !== 0 }),
  rule(6, 'destination', 's', { isValid: (name) => isBusName(name as string) }),
  rule(7, 'sender', 's', { isValid: (name) => isBusName(name as string) }),
  rule(8, 'signature', 'g', { isValid: (signature) => isSignature(signature as string), whenAbsent: '' }),
  rule(9, 'unixFds', 'u', { whenAbsent: 0 }),
];

/** The rule of a code that is specified. */
export const ruleOf = (code: number): FieldRule | undefined => FIELD_RULES[code - 1];

function rule(
  code: number,
  name: FieldName,
  signature: string,
  { isValid = () => true, whenAbsent }: Partial<Pick<FieldRule, 'isValid' | 'whenAbsent'>>,
): FieldRule {
  const start = code | (1 << 8) | (signature.charCodeAt(0) << 16);
  return { name, type: parseSingleType(signature), start, isValid, whenAbsent };
}
