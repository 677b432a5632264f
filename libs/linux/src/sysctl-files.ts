import { readFileSync, writeFileSync } from 'node:fs';
import { KernelError } from '@pp/base';
import { isSystemError, kernelErrorOf } from './errors';
import type { InHost } from './host-netns';

const ROOT = '/proc/sys';
/** In one write, as sysctls want it; a key that does not exist is not made. */
const IN_PLACE = { flag: 'r+' };

/** Sysctls by their dotted key. Those below net are of the namespace that the calling thread is in. */
export class SysctlFiles {
  constructor(private readonly inHost: InHost) {}

  /** null: this kernel has no such key, or it cannot be read. Several values have tabs between them, as the kernel writes them. */
  read(key: string): string | null {
    const path = sysctlPath(key);
    if (path === null) return null;
    try {
      return this.inHost(() => readFileSync(path, 'utf8')).trimEnd();
    } catch (error) {
      if (isSystemError(error)) return null;
      throw error;
    }
  }

  /** Throws KernelError: ENOENT for a key that does not exist, EINVAL for a value that it does not take. */
  write(key: string, value: string): void {
    const path = sysctlPath(key);
    if (path === null) throw new KernelError('ENOENT', `sysctl.set ${key}`, 'not a sysctl key');
    try {
      this.inHost(() => {
        writeFileSync(path, value, IN_PLACE);
      });
    } catch (error) {
      throw kernelErrorOf(error, `sysctl.set ${key} = ${value}`);
    }
  }

  /** Whether the key holds that value, whatever blanks are between its parts. */
  holds(key: string, value: string): boolean {
    const now = this.read(key);
    return now !== null && words(now) === words(value);
  }
}

const words = (text: string): string => text.trim().split(/\s+/).join(' ');

/** "net.ipv4.conf.eth0/100.rp_filter" is /proc/sys/net/ipv4/conf/eth0.100/rp_filter; null: no key can look so. */
export function sysctlPath(key: string): string | null {
  if (NO_KEY.test(key)) return null;
  return `${ROOT}/${key.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'))}`;
}

/** A part of it is empty, or would be "." or ".." in a path. */
const NO_KEY = /(?:^|\.)\/{0,2}(?:\.|$)/;
