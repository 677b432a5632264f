/** Why a request was refused, as one sentence for a person, and which argument it is about. */
export interface Refusal {
  readonly ok: false;
  readonly reason: RefusalReason;
  readonly sentence: string;
}

/** Closed set; each is the last part of a D-Bus error name `org.chromium.PatchPanel.Error.*`. */
export type RefusalReason =
  'InvalidArgument' | 'NotFound' | 'AlreadyExists' | 'ResourceExhausted' | 'PermissionDenied' | 'Failed';

export interface Accepted<T> {
  readonly ok: true;
  readonly value: T;
}

/** A request that was checked: a value that cannot be wrong, or the reason it was refused. Bad input is a value, not an exception. */
export type Checked<T> = Accepted<T> | Refusal;

export const accept = <T>(value: T): Accepted<T> => ({ ok: true, value });

/** `sentence` names the value and says what to write instead; no full stop needed, no stack, no prefix. */
export const refuse = (reason: RefusalReason, sentence: string): Refusal => ({ ok: false, reason, sentence });

/** What `make` makes of the value, or the same refusal. */
export const given = <From, To>(checked: Checked<From>, make: (value: From) => To): Checked<To> =>
  checked.ok ? accept(make(checked.value)) : checked;

type Values<T extends Readonly<Record<string, Checked<unknown>>>> = {
  readonly [Name in keyof T]: T[Name] extends Checked<infer Value> ? Value : never;
};

/** The values of all, by the same names; or the first refusal, in the order of writing. */
export function checkedAll<T extends Readonly<Record<string, Checked<unknown>>>>(
  parts: T,
): Checked<Values<T>> {
  const values: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(parts)) {
    if (!part.ok) return part;
    values[name] = part.value;
  }
  return accept(values as Values<T>);
}

/** What `check` makes of each, in order; or the first refusal. */
export function checkedEach<From, To>(
  inputs: readonly From[],
  check: (input: From) => Checked<To>,
): Checked<readonly To[]> {
  const values: To[] = [];
  for (const input of inputs) {
    const checked = check(input);
    if (!checked.ok) return checked;
    values.push(checked.value);
  }
  return accept(values);
}
