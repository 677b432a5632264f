import { readFileSync } from 'node:fs';
import { accept, refuse, type Checked } from '@pp/base';
import { NativeError, type Native } from '@pp/native';
import type { HeldNetns, ProcessNetns } from '@pp/ports';

type Doors = Pick<Native, 'closeFd' | 'fdIdentity' | 'openNetns' | 'pidfdOpen' | 'pollFd'>;

/** By /proc/PID/ns/net; a pidfd that is alive after all was read proves that pid, namespace and uid belong together. */
export class LinuxProcessNetns implements ProcessNetns {
  constructor(private readonly native: Doors) {}

  open(pid: number): Checked<HeldNetns> {
    try {
      return this.#hold(pid);
    } catch (fault) {
      if (!(fault instanceof NativeError) || !ENDED.has(fault.code)) throw fault;
      return gone(pid);
    }
  }

  #hold(pid: number): Checked<HeldNetns> {
    const pidfd = this.native.pidfdOpen(pid);
    try {
      const netns = this.native.openNetns({ pid });
      const uid = effectiveUid(pid);
      const startTime = startTimeOf(pid);
      if (uid === null || startTime === null || this.native.pollFd(pidfd).readable) {
        this.native.closeFd(netns); // a pidfd becomes readable when its process ends
        return gone(pid);
      }
      const inode = this.native.fdIdentity(netns).ino;
      const close = (): void => {
        this.native.closeFd(netns);
      };
      return accept({ inode, uid, startTime, isHost: inode === this.#ownInode(), close });
    } finally {
      this.native.closeFd(pidfd);
    }
  }

  #ownInode(): number {
    const own = this.native.openNetns('current');
    try {
      return this.native.fdIdentity(own).ino;
    } finally {
      this.native.closeFd(own);
    }
  }
}

/** What pidfd_open(2) and opening /proc/PID/ns/net say of a pid without a live process; a zombie has no namespaces. */
const ENDED = new Set(['ESRCH', 'ENOENT', 'EINVAL']);

const gone = (pid: number): Checked<never> =>
  refuse('NotFound', `process ${pid} does not exist, or has ended`);

/** The second number of `Uid:` in /proc/PID/status (proc_pid_status(5)); null: the process is gone. */
function effectiveUid(pid: number): number | null {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1];
  return uid === undefined ? null : Number(uid);
}

/** The 20th word after the command, which may hold blanks and brackets (proc_pid_stat(5)); null: the process is gone. */
function startTimeOf(pid: number): string | null {
  const text = readProc(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/** Empty when the process is gone. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (fault) {
    const code = (fault as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw fault;
  }
}
