import { DBUS_ERROR, DBusError } from './errors';
import type { SignalHeader } from './wire/header';
import type { Body } from './wire/values';

/** Which signals are wanted; what is absent matches all. */
export interface MatchRule {
  /** A unique or a well-known name; signals of others that pretend do not match. */
  readonly sender?: string;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  /** The first and the third value must be this string. */
  readonly arg0?: string;
  readonly arg2?: string;
}

/** The rule as AddMatch takes it (D-Bus Specification, "Match Rules"). */
export function matchRuleText(rule: MatchRule): string {
  const keys = ['sender', 'path', 'interface', 'member', 'arg0', 'arg2'] as const;
  const pairs = keys.flatMap((key) => {
    const value = rule[key];
    return value === undefined ? [] : [`${key}=${quote(value)}`];
  });
  return ["type='signal'", ...pairs].join(',');
}

/** All but `sender`, whose name must be resolved first, and the values. */
export function matchesHeader(rule: MatchRule, header: SignalHeader): boolean {
  return (
    (rule.path ?? header.path) === header.path &&
    (rule.interface ?? header.interface) === header.interface &&
    (rule.member ?? header.member) === header.member
  );
}

export function matchesBody(rule: MatchRule, body: Body): boolean {
  return (rule.arg0 ?? body[0]) === body[0] && (rule.arg2 ?? body[2]) === body[2];
}

/** An apostrophe ends the quotation, comes as \', and begins the next. */
function quote(value: string): string {
  if (value.includes('\0')) throw new DBusError(DBUS_ERROR.invalidArgs, 'a match rule must not hold a NUL');
  return `'${value.replaceAll("'", "'\\''")}'`;
}
