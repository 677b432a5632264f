import { accept, refuse, type Checked, type Refusal } from '@pp/base';
import { isIfname, isIfnamePattern } from '@pp/datapath';

/** The options and operands as they were written, before anybody checked them. */
export class RawArgs {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];

  /** `values` as commander keeps them: by camel-cased long name. */
  constructor(values: Readonly<Record<string, unknown>>, operands: readonly string[]) {
    this.#values = values;
    this.operands = operands;
  }

  /** The value of an option by its long name without dashes; undefined when it was not given. */
  one(name: string): string | undefined {
    const value = this.#values[camelCase(name)];
    return typeof value === 'string' ? value : undefined;
  }

  /** The values of an option that may be repeated, in order. */
  all(name: string): readonly string[] {
    const value = this.#values[camelCase(name)];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** Whether an option without value was given. */
  has(name: string): boolean {
    return this.#values[camelCase(name)] === true;
  }
}

/** Why a prefix with host bits is refused; `network`: the value without them. */
export const beyondLength = (option: string, value: string, network: string): string =>
  `--${option} '${value}' has bits set beyond its length; write --${option} ${network}`;

/** One of a few words, `fallback` when the option is absent. */
export function choice<const W extends string>(
  raw: RawArgs,
  name: string,
  words: readonly W[],
  fallback: W,
): Checked<W> {
  const given = raw.one(name) ?? fallback;
  const word = words.find((each) => each === given);
  if (word !== undefined) return accept(word);
  return refuse('InvalidArgument', `--${name} '${given}' is unknown; write ${words.join(' or ')}`);
}

/** A whole number within bounds, `fallback` when the option is absent. */
export function wholeNumber<F extends number | null>(
  raw: RawArgs,
  name: string,
  [least, most]: readonly [number, number],
  fallback: F,
): Checked<number | F> {
  const text = raw.one(name);
  if (text === undefined) return accept(fallback);
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return accept(value);
  return refuse(
    'InvalidArgument',
    `--${name} '${text}' is out of range; write a whole number from ${least} to ${most}`,
  );
}

/** The interface need not exist. */
export const checkedIfname = (name: string): Checked<string> =>
  isIfname(name) ? accept(name) : notAnInterface(name);

const notAnInterface = (name: string): Refusal =>
  refuse('InvalidArgument', `'${name}' cannot be an interface; write a name as "ip link" shows it`);

/** The first of several interfaces, and the others, of which there is at least one. */
export interface Fan {
  readonly first: string;
  readonly rest: readonly string[];
}

/** Also a pattern of interfaces, such as "vmtap*" (see `matchesIfname` of @pp/ports). */
const checkedPattern = (name: string): Checked<string> =>
  isIfnamePattern(name) ? accept(name) : notAnInterface(name);

/**
 * Interface names as operands, all different; all but the first may be patterns, "vmtap*"; none at all is `undefined`. `example` is what
 * to write instead of a mistake.
 */
export function checkedFan(names: readonly string[], example: string): Checked<Fan | undefined> {
  const [first, ...rest] = names;
  if (first === undefined) return accept(undefined);
  const bad = [checkedIfname(first), ...rest.map(checkedPattern)].find((checked) => !checked.ok);
  if (bad?.ok === false) return bad;
  if (rest.length === 0)
    return refuse('InvalidArgument', `'${first}' stands alone; write at least two interfaces: ${example}`);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined)
    return refuse('InvalidArgument', `interface '${twice}' is named twice; write each once: ${example}`);
  return accept({ first, rest });
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
