import { readFileSync, statSync } from 'node:fs';
import { accept, refuse } from '@pp/base';
import type { Checked } from '@pp/base';
import type { Native } from '@pp/native';
import type { HeldNetns, ProcessNetns } from '@pp/ports';
import { kernelErrorOf } from './errors';

type Calls = Pick<Native, 'openNetns' | 'fdIdentity' | 'pidfdOpen' | 'pollFd' | 'closeFd'>;

/** Network namespaces by /proc. A pidfd, held as long, tells whether all that is read is of one process. */
export class LinuxProcessNetns implements ProcessNetns {
  /** Of this process, which never leaves its namespace. */
  readonly #own = statSync('/proc/self/ns/net');

  constructor(private readonly native: Calls) {}

  open(pid: number): Checked<HeldNetns> {
    const gone = refuse('NotFound', `no process has the pid ${pid}`);
    try {
      const held = this.#hold(pid, this.native.pidfdOpen(pid));
      return held === null ? gone : accept(held);
    } catch (error) {
      const { code, message } = kernelErrorOf(error, `netns of pid ${pid}`);
      // EINVAL: no pid can look so, or it is a thread's.
      if (code === 'ESRCH' || code === 'ENOENT' || code === 'EINVAL') return gone;
      return refuse(code === 'EACCES' || code === 'EPERM' ? 'PermissionDenied' : 'Failed', message);
    }
  }

  /** Takes `pidfd`; null: the process has ended. */
  #hold(pid: number, pidfd: number): HeldNetns | null {
    const fds = [pidfd];
    const close = once(() => {
      for (const fd of fds) this.native.closeFd(fd);
    });
    // Readable once the process has ended, a zombie too: what was read before may then be its successor's.
    const isAlive = (): boolean => !this.native.pollFd(pidfd).readable;
    try {
      const netns = this.native.openNetns({ path: `/proc/${pid}/ns/net` });
      fds.push(netns);
      const { dev, ino } = this.native.fdIdentity(netns);
      if (isAlive()) {
        return {
          inode: ino,
          isHost: this.#own.dev === dev && this.#own.ino === ino,
          get uid() {
            const uid = effectiveUid(pid);
            return isAlive() ? uid : NOBODY;
          },
          get startTime() {
            const time = startTimeOf(pid);
            return isAlive() ? time : '';
          },
          close,
        };
      }
    } catch (error) {
      close();
      throw error;
    }
    close();
    return null;
  }
}

/** No caller has this uid. */
const NOBODY = -1;

/** Not the owner of /proc/PID: that is root for a process that may not be dumped. */
function effectiveUid(pid: number): number {
  return Number(/^Uid:\t\d+\t(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? NOBODY);
}

/** Field 22 of proc_pid_stat(5); empty: the process has ended. The name, field 2, may hold blanks and parentheses. */
function startTimeOf(pid: number): string {
  const stat = readProc(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Empty: the process has ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    const { code } = kernelErrorOf(error, `read /proc/${pid}/${file}`);
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

function once(close: () => void): () => void {
  let isClosed = false;
  return () => {
    if (!isClosed) close();
    isClosed = true;
  };
}
