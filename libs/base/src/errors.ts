/** A kernel error by name: ENODEV, EPERM, ... (errno(3)). */
export type Errno = `E${string}`;

/** The kernel said no. `request` is what was asked, as an operator would say it: "route.add fd00::/64 dev arcbr0". */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: Errno;
  readonly request: string;

  /** `detail` is the kernel's own sentence, where it gave one (NLMSGERR_ATTR_MSG). */
  constructor(code: Errno, request: string, detail = '', options?: ErrorOptions) {
    super(`${request}: ${code}${detail === '' ? '' : ` (${detail})`}`, options);
    this.code = code;
    this.request = request;
  }
}

/** Of processes, memory, descriptors or time. */
const SHORTAGES = new Set(['EAGAIN', 'EINTR', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ETIMEDOUT']);

/** This host is short of something: what was refused for it may be done a little later. */
export const isShortage = (fault: unknown): fault is KernelError =>
  fault instanceof KernelError && SHORTAGES.has(fault.code);

/** Ends a switch over a union; a new member that is not handled does not compile. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}

/** A broken invariant stops the daemon: the supervisor starts it clean. */
export function invariant(claim: boolean, sentence: string): asserts claim {
  if (!claim) throw new Error(`broken invariant: ${sentence}`);
}

/** An error and all its causes, and the members of an AggregateError, in one line. */
export function causeChain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const members = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const own = error.message === '' ? error.name : error.message;
  const inner = members.filter((member) => member !== error.cause).map(causeChain);
  const cause = error.cause === undefined ? [] : [causeChain(error.cause)];
  return [own, ...cause, ...(inner.length > 0 ? [`[${inner.join('; ')}]`] : [])].join(': ');
}
