/** Codes of Portier's status, with the words that it prints. */
const CODE_NAMES = {
  OK: 'OK',
  BAD_PERMISSIONS: 'Bad Permissions',
  DOES_NOT_EXIST: 'Does Not Exist',
  ALREADY_EXISTS: 'Already Exists',
  RESULT_UNAVAILABLE: 'Result Unavailable',
  UNEXPECTED_FAILURE: 'Unexpected Failure',
  INVALID_ARGUMENT: 'Invalid Argument',
  MTU_EXCEEDED: 'MTU Exceeded',
  MALFORMED_PACKET: 'Malformed Packet',
  RESOURCE_IN_USE: 'Resource In Use',
  UNSUPPORTED_TYPE: 'Unsupported Type',
  BAD_INTERNAL_STATE: 'Bad Internal State',
} as const;

/** A number is a code that we do not know. */
export type StatusCode = keyof typeof CODE_NAMES | number;

/**
 * How an operation of the groups' API went. Immutable. Text is added at the level of the function that runs now; `wrap`, at its return,
 * makes all of it inherited, so that what is added further out prints first.
 */
export class Status {
  static readonly ok = new Status('OK', '', '');

  private constructor(
    readonly code: StatusCode,
    private readonly current: string,
    private readonly inherited: string,
  ) {}

  static of(code: StatusCode, message = ''): Status {
    return new Status(code, message, '');
  }

  get isOk(): boolean {
    return this.code === 'OK';
  }

  /** With text added to the current level; nothing for ''. */
  append(text: string): Status {
    return text === '' ? this : new Status(this.code, this.current + text, this.inherited);
  }

  /** As it is seen one function further out, with that function's message; of one that is OK nothing changes. */
  wrap(outerMessage = ''): Status {
    if (this.isOk) return this;
    return new Status(this.code, outerMessage, joined(this.current, this.inherited));
  }

  /** "Code", "Code: message", outermost first. */
  toString(): string {
    const name = typeof this.code === 'number' ? `Unknown (${this.code})` : CODE_NAMES[this.code];
    return joined(name, this.current, this.inherited);
  }

  /** The text without the code. */
  get message(): string {
    return joined(this.current, this.inherited);
  }
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(': ');
