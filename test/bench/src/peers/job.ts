/** A program to run, for tools/run-steps.c. */
export interface Step {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; `@PREV@` in it stands for the last output of any step before. No tabs, no line breaks. */
  readonly input?: string;
}

/** A step in one line, as run-steps reads it. */
export function stepLine({ command, env = {}, input = '' }: Step): string {
  return [input, ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...command].join('\t');
}

/** A step from a command line without quoting. */
export const step = (line: string): Step => ({ command: line.split(' ') });
