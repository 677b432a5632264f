import { resolve } from 'node:path';

/** A path below the root of the repository. */
export function repository(...path: readonly string[]): string {
  return resolve(__dirname, '../../..', ...path);
}
