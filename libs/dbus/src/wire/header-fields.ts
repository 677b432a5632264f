import { Malformed } from '../errors';
import { FIELD } from './header';
import { isBusName, isInterfaceName, isMemberName, isObjectPath } from './names';

// D-Bus Specification, "Header Fields"

export type FieldName = keyof typeof FIELD;

export interface FieldRule {
  readonly name: FieldName;
  readonly type: 's' | 'o' | 'g' | 'u';
  /** Of text that is no signature: its syntax, which has no NUL and nothing but ASCII. */
  readonly isValid?: (value: string) => boolean;
}

const RULES: readonly FieldRule[] = [
  { name: 'path', type: 'o', isValid: isObjectPath },
  { name: 'interface', type: 's', isValid: isInterfaceName },
  { name: 'member', type: 's', isValid: isMemberName },
  { name: 'errorName', type: 's', isValid: isInterfaceName },
  { name: 'replySerial', type: 'u' },
  { name: 'destination', type: 's', isValid: isBusName },
  { name: 'sender', type: 's', isValid: isBusName },
  { name: 'signature', type: 'g' },
  { name: 'unixFds', type: 'u' },
];

/** By code; where there is none, the field is unknown. */
export const RULE_OF_CODE: readonly (FieldRule | undefined)[] = RULES.reduce<(FieldRule | undefined)[]>(
  (byCode, rule) => {
    byCode[FIELD[rule.name]] = rule;
    return byCode;
  },
  [],
);

/** Values by name; each has the type that its rule demands. */
export class Fields {
  /** By code. BOUNDED: one per rule. */
  readonly #values: (string | number | undefined)[] = [];

  has(name: FieldName): boolean {
    return this.#values[FIELD[name]] !== undefined;
  }

  set(name: FieldName, value: string | number): void {
    this.#values[FIELD[name]] = value;
  }

  text(name: FieldName): string | undefined {
    return this.#values[FIELD[name]] as string | undefined;
  }

  number(name: FieldName): number | undefined {
    return this.#values[FIELD[name]] as number | undefined;
  }

  /** Throws Malformed, as the next one. */
  needText(name: FieldName): string {
    return this.text(name) ?? missing(name);
  }

  needNumber(name: FieldName): number {
    return this.number(name) ?? missing(name);
  }
}

function missing(name: FieldName): never {
  throw new Malformed(`the field ${name} is missing`);
}
