import { writeSync } from 'node:fs';
import { errnoOf } from './errno';
import { ExitCode, Refused } from './refused';

const STDOUT = 1;
const STDERR = 2;
const PAUSE_MS = 2;
/** A service must not stand still because nobody reads its log. */
const LOG_PAUSES = 20;

/** Writes to standard error before it returns. A reader that is gone, a full disk or one that stays full for some 40 ms loses the rest. */
export function printError(text: string): void {
  writeWhole(STDERR, text, LOG_PAUSES);
}

/**
 * Writes to standard output before it returns, waiting for a slow reader. False: the reader is gone, who writes for ever may end. Throws
 * Refused where there is one, and not all of it can be written: on a full disk.
 */
export function print(text: string): boolean {
  const fault = writeWhole(STDOUT, text, Infinity);
  if (fault === null) return true;
  if (GONE.has(fault)) return false;
  throw new Refused(ExitCode.failed, `standard output cannot be written (${fault})`);
}

const GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'EBADF']);

// Not by process.stdout and process.stderr: they make a pipe non-blocking, also for the child processes that share it.
/** The errno by which no more is taken; null: all was, or the pauses are used up. */
function writeWhole(fd: number, text: string, pauses: number): string | null {
  let rest = Buffer.from(text);
  for (let paused = 0; rest.length > 0 && paused < pauses;) {
    const written = writeSome(fd, rest);
    if (typeof written === 'string') return written;
    if (written === 0) {
      pause();
      paused++;
    }
    rest = rest.subarray(written);
  }
  return null;
}

/** Bytes taken, or the errno by which none are. */
function writeSome(fd: number, bytes: Uint8Array): number | string {
  try {
    return writeSync(fd, bytes);
  } catch (fault) {
    const code = errnoOf(fault);
    if (code === undefined) throw fault;
    return code === 'EAGAIN' ? 0 : code; // a pipe that another process made non-blocking
  }
}

/** There is no other way to wait without returning to the event loop. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
