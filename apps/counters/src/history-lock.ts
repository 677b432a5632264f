import { closeSync, openSync } from 'node:fs';
import { errnoOf, ExitCode, makeDirectory, openStatusSocket, Refused, type UnixServing } from '@pp/daemon';
import type { Logger } from '@pp/base';

/** What a full disk says. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

export interface HistoryLock {
  close(): void;
}

/**
 * Keeps others from writing the history in `directory`, which is made if need be: by a socket there that somebody answers at, so what a
 * killed process left locks nobody out. Throws Refused where another counters has it. A full disk keeps nobody out, and the log says so.
 */
export function lockHistory(serving: UnixServing, directory: string, log: Logger): HistoryLock {
  const fd = openDirectory(directory);
  // A socket's path is short (unix(7): 107 bytes), a directory's may be long.
  const path = `/proc/self/fd/${fd}/history.sock`;
  try {
    const socket = openStatusSocket(serving, path, () => ({ name: 'counters', pid: process.pid }));
    return {
      close: () => {
        socket.close();
        closeSync(fd);
      },
    };
  } catch (fault) {
    closeSync(fd);
    if (!(fault instanceof Refused)) throw fault;
    const code = errnoOf(fault.cause);
    if (code === undefined) throw taken(directory);
    if (!FULL.has(code)) throw historyRefused(directory, code, fault);
    log.warn('history.unlocked', { directory, code });
    return { close: () => undefined };
  }
}

function openDirectory(path: string): number {
  try {
    makeDirectory(path);
    return openSync(path, 'r');
  } catch (fault) {
    const code = errnoOf(fault);
    throw code === undefined ? fault : historyRefused(path, code, fault);
  }
}

const taken = (directory: string): Refused =>
  new Refused(ExitCode.failed, `another counters writes the history in ${directory}`, {
    advice: 'stop it, or use another --history-dir',
  });

/** The history cannot be opened, by that errno. */
export const historyRefused = (directory: string, code: string, cause: unknown): Refused =>
  new Refused(ExitCode.failed, `the history ${directory}/traffic cannot be opened (${code})`, {
    advice: 'run counters as root, or use another --history-dir',
    cause,
  });
