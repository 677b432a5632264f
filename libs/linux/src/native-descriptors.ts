import type { Native } from '@pp/native';
import type { DescriptorKind, Descriptors } from '@pp/ports';

/** File descriptors of this process, by the addon. */
export class NativeDescriptors implements Descriptors {
  constructor(private readonly native: Pick<Native, 'fdKind' | 'pollFd' | 'watchFd' | 'closeFd'>) {}

  kind(fd: number): DescriptorKind {
    return this.native.fdKind(fd);
  }

  isSignalled(fd: number): boolean {
    const { readable, hangup, error } = this.native.pollFd(fd);
    return readable || hangup || error;
  }

  watch(fd: number, onSignal: () => void): { close(): void } {
    const watch = this.native.watchFd(fd, () => {
      watch.close(); // level-triggered: it would be told again and again
      onSignal();
    });
    return watch;
  }

  close(fd: number): void {
    this.native.closeFd(fd);
  }
}
