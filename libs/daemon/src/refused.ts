/** Exit codes of every program here; the services use 0, 1, 2 and, for `status`, 5 and 6. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  denied: 5,
  unreachable: 6,
  degraded: 7,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The program will not do what was asked, for a reason that is no fault of its own. Printed as one line, without stack. */
export class Refused extends Error {
  override readonly name = 'Refused';

  /** `sentence` says what is wrong and what to do about it. */
  constructor(
    readonly exitCode: ExitCode,
    sentence: string,
    options?: ErrorOptions,
  ) {
    super(sentence, options);
  }
}
