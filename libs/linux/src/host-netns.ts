import type { Native } from '@pp/native';

/** Runs a synchronous function in the network namespace that is the host's for us. */
export type InHost = <T>(inside: () => T) => T;

/** The process's own namespace; or the one that `fd` holds open, for tests and for a manager that lives beside its host. */
export const hostNetns = (native: Pick<Native, 'runInNetns'>, fd?: number): InHost =>
  fd === undefined ? (inside) => inside() : (inside) => native.runInNetns(fd, inside);
