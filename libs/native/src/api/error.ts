export class NativeError extends Error {
  override readonly name = 'NativeError';

  /** `code`: errno by name; `call`: the system call that failed and on what, e.g. "open /proc/9/ns/net". */
  constructor(
    readonly code: string,
    readonly call: string,
  ) {
    super(`${call}: ${code}`);
  }
}
