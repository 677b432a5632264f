import { unlinkSync } from 'node:fs';
import { KernelError } from '@pp/base';
import type { Netns } from '@pp/datapath';
import type { Native } from '@pp/native';
import { isSystemError, kernelErrorOf } from './errors';

type NetnsCalls = Pick<
  Native,
  'createNetns' | 'openNetns' | 'nameNetns' | 'unnameNetns' | 'fdIdentity' | 'closeFd'
>;

/** Names of network namespaces, as ip-netns(8) keeps them: files with the namespace mounted on them. */
export class NetnsNames {
  constructor(
    private readonly native: NetnsCalls,
    private readonly directory: string,
  ) {}

  /** Names a new namespace, or that of a process. ESTALE: the process has another one now. EEXIST: the name is taken. */
  add({ name, from }: Netns): void {
    const request = `netns.add ${name}`;
    this.#with(
      request,
      () => (from === null ? this.native.createNetns() : this.native.openNetns({ pid: from.pid })),
      (fd) => {
        if (from !== null && this.native.fdIdentity(fd).ino !== from.inode) {
          throw new KernelError('ESTALE', request, `pid ${from.pid} has another namespace now`);
        }
        this.#name(fd, this.#path(name));
      },
    );
  }

  /** Takes the name away; a namespace that nobody else holds ends with it. ENOENT: there is no such name. */
  del({ name }: Netns): void {
    try {
      this.native.unnameNetns(this.#path(name));
    } catch (error) {
      throw kernelErrorOf(error, `netns.del ${name}`);
    }
  }

  /** A descriptor, the caller's to close. ENOENT, or EINVAL when the name is no namespace's. */
  open(name: string): number {
    return this.native.openNetns({ path: this.#path(name) });
  }

  has(name: string): boolean {
    try {
      this.native.closeFd(this.open(name));
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  #name(fd: number, path: string): void {
    try {
      this.native.nameNetns(fd, path);
    } catch (error) {
      if (kernelErrorOf(error, path).code !== 'EEXIST' || !removeEmpty(path)) throw error;
      this.native.nameNetns(fd, path);
    }
  }

  #path(name: string): string {
    return `${this.directory}/${name}`;
  }

  #with(request: string, open: () => number, use: (fd: number) => void): void {
    try {
      const fd = open();
      try {
        use(fd);
      } finally {
        this.native.closeFd(fd);
      }
    } catch (error) {
      throw kernelErrorOf(error, request);
    }
  }
}

/** Removes the file that a crash left between its making and the mount on it; a name in use cannot be removed so. */
function removeEmpty(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false; // EBUSY: a namespace is mounted there
    throw error;
  }
}
