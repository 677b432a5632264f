import { writeSync } from 'node:fs';
import { errnoOf } from './errno';

const STDOUT = 1;
const STDERR = 2;
const PAUSE_MS = 2;
/** A service must not stand still because nobody reads its log. */
const LOG_PAUSES = 20;

/** Writes to standard error before it returns. A reader that is gone or stays full for some 40 ms loses the rest. */
export function printError(text: string): void {
  writeWhole(STDERR, text, LOG_PAUSES);
}

/** Writes to standard output before it returns, waiting for a slow reader. False: the reader is gone, who writes for ever may end. */
export function print(text: string): boolean {
  return writeWhole(STDOUT, text, Infinity);
}

// Not by process.stdout and process.stderr: they make a pipe non-blocking, also for the child processes that share it.
/** Whether somebody may read on. */
function writeWhole(fd: number, text: string, pauses: number): boolean {
  let rest = Buffer.from(text);
  for (let paused = 0; rest.length > 0 && paused < pauses;) {
    const written = writeSome(fd, rest);
    if (written === undefined) return false;
    if (written === 0) {
      pause();
      paused++;
    }
    rest = rest.subarray(written);
  }
  return true;
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
