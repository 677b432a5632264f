/** Exit codes of every program here; the services use 0, 1, 2 and, for `status`, 5 and 6; `idle` is for one without work on this host. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  denied: 5,
  unreachable: 6,
  degraded: 7,
  idle: 8,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Those that a program uses, in the words of that program. */
export type ExitCodeWords = Readonly<Partial<Record<keyof typeof ExitCode, string>>>;

/** The line of --help about them. */
export const exitCodesLine = (words: ExitCodeWords): string => {
  const used = Object.entries(ExitCode).flatMap(([name, code]) => {
    const text = words[name as keyof typeof ExitCode];
    return text === undefined ? [] : [`${code} ${text}`];
  });
  return `Exit codes: ${used.join(', ')}.`;
};

/** The program will not do what was asked, for a reason that is no fault of its own. Printed without stack. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly exitCode: ExitCode;
  /** What is wrong. */
  readonly sentence: string;
  /** What to do about it. */
  readonly advice: string | undefined;

  constructor(
    exitCode: ExitCode,
    sentence: string,
    options: ErrorOptions & { readonly advice?: string } = {},
  ) {
    super(options.advice === undefined ? sentence : `${sentence}; ${options.advice}`, options);
    this.exitCode = exitCode;
    this.sentence = sentence;
    this.advice = options.advice;
  }
}
