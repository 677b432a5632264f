import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { accept, refuse } from '@pp/base';
import type { Checked, Refusal } from '@pp/base';
import type { Native } from '@pp/native';
import type { HeldNetns, ProcessNetns } from '@pp/ports';
import { isSystemError, kernelErrorOf } from './errors';
import type { OpenNamespaces } from './netns-names';

type Calls = Pick<Native, 'openNetns' | 'fdIdentity' | 'pidfdOpen' | 'pollFd' | 'closeFd'>;

/** Network namespaces by /proc. A pidfd, held as long, tells whether all that is read is of one process. */
export class LinuxProcessNetns implements ProcessNetns, OpenNamespaces {
  /** Of this process, which never leaves its namespace. */
  readonly #own = statSync('/proc/self/ns/net');
  readonly #open: Descriptors = new Map();

  constructor(private readonly native: Calls) {}

  open(pid: number): Checked<HeldNetns> {
    try {
      const held = this.#hold(pid, this.native.pidfdOpen(pid));
      return held === null ? gone(pid) : accept(held);
    } catch (error) {
      const { code, message } = kernelErrorOf(error, `netns of pid ${pid}`);
      // EINVAL: no pid can look so, or it is a thread's.
      if (code === 'ESRCH' || code === 'ENOENT' || code === 'EINVAL') return gone(pid);
      return refuse(code === 'EACCES' || code === 'EPERM' ? 'PermissionDenied' : 'Failed', message);
    }
  }

  fdOf(inode: number): number | null {
    return this.#open.get(inode) ?? null;
  }

  /** Takes `pidfd`; null: the process has ended. */
  #hold(pid: number, pidfd: number): HeldNetns | null {
    const held = new Held(this.native, this.#open, pid, pidfd);
    try {
      if (held.open(this.#own)) return held;
    } catch (error) {
      held.close();
      throw error;
    }
    held.close();
    return null;
  }
}

const gone = (pid: number): Refusal => refuse('NotFound', `no process has the pid ${pid}`);

/** Of namespaces held open, by inode; of one that is held twice, the last. BOUNDED: by the calls at hand. */
type Descriptors = Map<number, number>;

/** Owns a process's descriptor, and that of its namespace once it is open. */
class Held implements HeldNetns {
  inode = 0;
  isHost = false;
  readonly #native: Calls;
  readonly #open: Descriptors;
  readonly #pid: number;
  readonly #pidfd: number;
  #netns: number | null = null;
  #isClosed = false;

  constructor(native: Calls, open: Descriptors, pid: number, pidfd: number) {
    this.#native = native;
    this.#open = open;
    this.#pid = pid;
    this.#pidfd = pidfd;
  }

  /** False: the process has ended, and what was opened is perhaps its successor's. */
  open(own: FileIdentity): boolean {
    this.#netns = this.#native.openNetns({ path: `/proc/${this.#pid}/ns/net` });
    const { dev, ino } = this.#native.fdIdentity(this.#netns);
    this.inode = ino;
    this.isHost = own.dev === dev && own.ino === ino;
    if (!this.#isAlive()) return false;
    this.#open.set(ino, this.#netns);
    return true;
  }

  get uid(): number {
    const uid = effectiveUid(this.#pid);
    return this.#isAlive() ? uid : NOBODY;
  }

  get startTime(): string {
    const time = startTimeOf(this.#pid);
    return this.#isAlive() ? time : '';
  }

  get hasDefaultRoute(): boolean {
    return DEFAULT_ROUTE.test(firstRoutes(this.#pid)) && this.#isAlive();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#open.get(this.inode) === this.#netns) this.#open.delete(this.inode);
    this.#native.closeFd(this.#pidfd);
    if (this.#netns !== null) this.#native.closeFd(this.#netns);
  }

  /** A pidfd is readable once the process has ended, a zombie too: what was read before may then be its successor's. */
  #isAlive(): boolean {
    return !this.#native.pollFd(this.#pidfd).readable;
  }
}

interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** proc_pid_net(5): interface, destination, gateway, flags, two counts, metric, mask. */
const DEFAULT_ROUTE = /^\S+\t0{8}\t\S+\t\S+\t\d+\t\d+\t0\t0{8}\t/m;

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

/** Default routes come first, the one of metric 0 before others; there may be a million more. Empty: they cannot be read. */
function firstRoutes(pid: number): string {
  const text = Buffer.alloc(4096);
  try {
    const fd = openSync(`/proc/${pid}/net/route`, 'r');
    try {
      return text.toString('latin1', 0, readSync(fd, text));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
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
