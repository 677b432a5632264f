import { existsSync, readFileSync, statSync } from 'node:fs';
import { accept, KernelError, refuse } from '@pp/base';
import type { Checked } from '@pp/base';
import type { Native } from '@pp/native';
import type { HeldNetns, ProcessNetns } from '@pp/ports';
import { kernelErrorOf } from './errors';

type Calls = Pick<Native, 'openNetns' | 'fdIdentity' | 'pidfdOpen' | 'pollFd' | 'closeFd'>;

/** Network namespaces by /proc. A pidfd, held meanwhile, tells whether all that was read is of one process. */
export class LinuxProcessNetns implements ProcessNetns {
  constructor(private readonly native: Calls) {}

  open(pid: number): Checked<HeldNetns> {
    const gone = refuse('NotFound', `no process has the pid ${pid}`);
    try {
      const pidfd = this.native.pidfdOpen(pid);
      try {
        const held = this.#hold(pid);
        // Readable once the process has ended, a zombie too: then the namespace may be that of its successor.
        if (!this.native.pollFd(pidfd).readable) return accept(held);
        held.close();
        return gone;
      } finally {
        this.native.closeFd(pidfd);
      }
    } catch (error) {
      const { code, message } = kernelErrorOf(error, `netns of pid ${pid}`);
      // EINVAL: no pid can look so, or it is a thread's.
      if (code === 'ESRCH' || code === 'ENOENT' || code === 'EINVAL') return gone;
      return refuse(code === 'EACCES' || code === 'EPERM' ? 'PermissionDenied' : 'Failed', message);
    }
  }

  #hold(pid: number): HeldNetns {
    const fd = this.native.openNetns({ pid });
    try {
      const { dev, ino } = this.native.fdIdentity(fd);
      const own = statSync('/proc/self/ns/net');
      return {
        inode: ino,
        get startTime() {
          return startTimeOf(pid);
        },
        uid: effectiveUid(pid),
        isHost: own.dev === dev && own.ino === ino,
        close: once(() => {
          this.native.closeFd(fd);
        }),
      };
    } catch (error) {
      this.native.closeFd(fd);
      throw error;
    }
  }
}

/** Not the owner of /proc/PID: that is root for a process that may not be dumped. */
function effectiveUid(pid: number): number {
  const uids = /^Uid:\t\d+\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (uids === undefined) throw new KernelError('ESRCH', `uid of pid ${pid}`);
  return Number(uids);
}

/** Field 22 of proc_pid_stat(5); empty: the process has ended. The name, field 2, may hold blanks and parentheses. */
function startTimeOf(pid: number): string {
  const path = `/proc/${pid}/stat`;
  const stat = existsSync(path) ? readFileSync(path, 'latin1') : '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function once(close: () => void): () => void {
  let isClosed = false;
  return () => {
    if (!isClosed) close();
    isClosed = true;
  };
}
