import type { Body } from '../wire/values';

/** A message as other implementations write it, and what it says. */
export interface GoldenMessage {
  readonly name: string;
  readonly hex: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly unixFds: number;
  readonly body: Body;
}

/** Long hex text comes in parts. */
export const hex = (...parts: readonly string[]): string => parts.join('');
