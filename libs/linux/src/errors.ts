import { KernelError } from '@pp/base';
import type { Errno } from '@pp/base';

/** What node or the addon threw for a system call, as the refusal of `request`; anything else is a broken invariant and thrown on. */
export function kernelErrorOf(error: unknown, request: string): KernelError {
  if (error instanceof KernelError) return error;
  if (!isSystemError(error)) throw error;
  return new KernelError(error.code, request, error.message, { cause: error });
}

/** By its looks, not its class: NativeError and node's own errors have only these in common. */
export const isSystemError = (error: unknown): error is { readonly code: Errno; readonly message: string } =>
  typeof error === 'object' &&
  error !== null &&
  'message' in error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^E[A-Z0-9]+$/.test(error.code);
