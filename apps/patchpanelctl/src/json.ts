/** JSON of other programs: what is not as expected is absent, and nothing is refused. */

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** null: the text is no JSON object. */
export function objectIn(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : null;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return null;
  }
}

/** Empty: it is no text. */
export const word = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Empty: it is no list. */
export const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as readonly unknown[]) : [];

export const objects = (value: unknown): readonly JsonObject[] => list(value).filter(isObject);

/** For scripts: one object in one line. */
export const jsonLine = (value: object): string => `${JSON.stringify(value)}\n`;
