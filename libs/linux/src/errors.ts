import { KernelError } from '@pp/base';
import type { Errno } from '@pp/base';

/** What node or the addon threw for a system call, as the refusal of `request`; anything else is a broken invariant and thrown on. */
export function kernelErrorOf(error: unknown, request: string): KernelError {
  if (error instanceof KernelError) return error;
  if (!(error instanceof Error) || !('code' in error) || !isErrno(error.code)) throw error;
  return new KernelError(error.code, request, error.message, { cause: error });
}

const isErrno = (code: unknown): code is Errno => typeof code === 'string' && /^E[A-Z0-9]+$/.test(code);
