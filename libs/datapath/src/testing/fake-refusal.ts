import type { Errno } from '@pp/base';

/** Thrown inside the fake where the kernel would refuse; the door makes a KernelError of it. */
export class FakeRefusal extends Error {
  override readonly name = 'FakeRefusal';

  constructor(
    readonly code: Errno,
    readonly detail: string,
  ) {
    super(`${code} ${detail}`);
  }
}

/** `thing`, or the refusal when there is none. */
export function present<T>(thing: T | undefined, code: Errno, detail: string): T {
  if (thing === undefined) throw new FakeRefusal(code, detail);
  return thing;
}

export function refuseIf(condition: boolean, code: Errno, detail: string): void {
  if (condition) throw new FakeRefusal(code, detail);
}
