import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@pp/base/testing';
import type { Native } from '@pp/native';
import { LinuxKernel, type LinuxKernelOptions } from '../linux-kernel';
import { SystemClock } from './system-clock';

const LOOKS = 2000;

/** A network namespace that plays the host, with a directory of its own for names of namespaces. Gone when it is closed. */
export class TestHost {
  readonly fd: number;
  readonly kernel: LinuxKernel;
  readonly netnsDirectory = mkdtempSync(join(tmpdir(), 'pptest-netns-'));

  constructor(readonly native: Native) {
    this.fd = native.createNetns();
    this.ip('link set lo up');
    this.kernel = this.newKernel();
  }

  /** One that knows nothing of what was made before, as after a restart. */
  newKernel(more: Partial<LinuxKernelOptions> = {}): LinuxKernel {
    return new LinuxKernel({
      native: this.native,
      log: new MemoryLog(),
      clock: new SystemClock(),
      netnsFd: this.fd,
      netnsDirectory: this.netnsDirectory,
      ...more,
    });
  }

  /** ip(8) in this namespace, or in the one of that name. */
  ip(words: string, netns?: string): string {
    return this.run('ip', words.split(' '), netns);
  }

  run(program: string, words: readonly string[], netns?: string): string {
    const fd =
      netns === undefined ? this.fd : this.native.openNetns({ path: join(this.netnsDirectory, netns) });
    try {
      return this.native.runInNetns(fd, () => execFileSync(program, words, { encoding: 'utf8' }));
    } finally {
      if (fd !== this.fd) this.native.closeFd(fd);
    }
  }

  /** Waits until frames pass these links: the kernel follows a carrier in its own time, and what is sent before is lost. */
  awaitCarrier(...links: readonly string[]): void {
    for (const link of links) {
      let looks = 0;
      while (!/ state (UP|UNKNOWN) /.test(this.ip(`-o link show dev ${link}`)))
        if (++looks === LOOKS) throw new Error(`${link} has no carrier`);
    }
  }

  close(): void {
    this.kernel.close();
    this.native.closeFd(this.fd);
    spawnSync('umount', ['--recursive', '--lazy', this.netnsDirectory]); // it is no mount if nothing was named in it
    rmSync(this.netnsDirectory, { recursive: true, force: true });
  }
}
