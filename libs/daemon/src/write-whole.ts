import { writeSync } from 'node:fs';
import { errnoOf } from './errno';

const TRIES = 20;
const PAUSE_MS = 2;

/**
 * Writes all of `text` before it returns. A reader that is gone or that stays full for some 40 ms loses the rest: a service must not
 * stand still because nobody reads its log.
 */
export function writeWhole(fd: number, text: string): void {
  let rest = Buffer.from(text);
  for (let tries = 0; rest.length > 0 && tries < TRIES; tries++) {
    const written = writeSome(fd, rest);
    if (written === undefined) return;
    if (written === 0) pause();
    rest = rest.subarray(written);
  }
}

/** Bytes taken; undefined when there will never be more. */
function writeSome(fd: number, bytes: Uint8Array): number | undefined {
  try {
    return writeSync(fd, bytes);
  } catch (fault) {
    const code = errnoOf(fault);
    if (code === 'EAGAIN') return 0; // a pipe that another process made non-blocking
    if (code === 'EPIPE' || code === 'EIO' || code === 'EBADF') return undefined;
    throw fault;
  }
}

/** There is no other way to wait without returning to the event loop. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
