import { unlinkSync } from 'node:fs';
import { KernelError } from '@pp/base';
import type { Netns } from '@pp/datapath';
import type { Native } from '@pp/native';
import { isSystemError, kernelErrorOf } from './errors';

type NetnsCalls = Pick<
  Native,
  'createNetns' | 'openNetns' | 'nameNetns' | 'unnameNetns' | 'fdIdentity' | 'dupFd' | 'closeFd'
>;

/** Namespaces that somebody holds open: as long as one is held, its inode is no other's. */
export interface OpenNamespaces {
  /** The holder's descriptor; null: nobody holds that one. */
  fdOf(inode: number): number | null;
}

const NONE_HELD: OpenNamespaces = { fdOf: () => null };

/** Names of network namespaces, as ip-netns(8) keeps them: files with the namespace mounted on them. */
export class NetnsNames {
  constructor(
    private readonly native: NetnsCalls,
    private readonly directory: string,
    private readonly held: OpenNamespaces = NONE_HELD,
  ) {}

  /**
   * A new namespace, or that of a process; the descriptor is the caller's to close. ESTALE: nobody holds it open, and the process has
   * another one now.
   */
  source({ name, from }: Netns): number {
    if (from === null) return this.native.createNetns();
    const held = this.held.fdOf(from.inode);
    if (held !== null) return this.native.dupFd(held);
    const fd = this.native.openNetns({ pid: from.pid });
    if (this.native.fdIdentity(fd).ino === from.inode) return fd;
    this.native.closeFd(fd);
    throw new KernelError('ESTALE', `netns.add ${name}`, `pid ${from.pid} has another namespace now`);
  }

  /** EEXIST: the name is taken. */
  name(fd: number, name: string): void {
    const path = this.#path(name);
    try {
      this.native.nameNetns(fd, path);
    } catch (error) {
      if (kernelErrorOf(error, path).code !== 'EEXIST' || !removeEmpty(path)) throw error;
      this.native.nameNetns(fd, path);
    }
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
    try {
      return this.native.openNetns({ path: this.#path(name) });
    } catch (error) {
      throw kernelErrorOf(error, `netns.open ${name}`);
    }
  }

  has(name: string): boolean {
    try {
      this.native.closeFd(this.open(name));
      return true;
    } catch (error) {
      if (error instanceof KernelError) return false;
      throw error;
    }
  }

  #path(name: string): string {
    return `${this.directory}/${name}`;
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
