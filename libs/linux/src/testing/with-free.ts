import { execFileSync } from 'node:child_process';
import type { Native } from '@pp/native';
import { isSystemError } from '../errors';

/** So many that it takes no time to use them up. */
const FEW = 256;

/** Calls `act` when this process may open `count` descriptors more. */
export function withFree<T>(native: Pick<Native, 'dupFd' | 'closeFd'>, count: number, act: () => T): T {
  const before = softLimit('--output=SOFT', '--noheadings', '--nofile').trim();
  softLimit(`--nofile=${FEW}:`);
  const taken: number[] = []; // BOUNDED: FEW
  try {
    takeAll(native, taken);
    for (const fd of taken.splice(0, count)) native.closeFd(fd);
    return act();
  } finally {
    for (const fd of taken) native.closeFd(fd);
    softLimit(`--nofile=${before}:`);
  }
}

const softLimit = (...words: readonly string[]): string =>
  execFileSync('prlimit', [`--pid=${process.pid}`, ...words], { encoding: 'utf8' });

function takeAll({ dupFd }: Pick<Native, 'dupFd'>, taken: number[]): void {
  try {
    for (;;) taken.push(dupFd(1));
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EMFILE') throw error;
  }
}
