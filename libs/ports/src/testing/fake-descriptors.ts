import type { DescriptorKind, Descriptors } from '../descriptors';

interface Entry {
  readonly kind: DescriptorKind;
  signalled: boolean;
  readonly watchers: Set<() => void>;
}

/** Descriptors as a table; strict: using one that is closed throws EBADF. */
export class FakeDescriptors implements Descriptors {
  readonly #table = new Map<number, Entry>();
  #next = 3;

  open(kind: DescriptorKind = 'fifo'): number {
    const fd = this.#next++;
    this.#table.set(fd, { kind, signalled: false, watchers: new Set() });
    return fd;
  }

  /** The far end is closed, or data came. */
  signal(fd: number): void {
    const entry = this.#entry(fd);
    entry.signalled = true;
    for (const watcher of [...entry.watchers]) watcher();
    entry.watchers.clear();
  }

  openCount(): number {
    return this.#table.size;
  }

  kind(fd: number): DescriptorKind {
    return this.#entry(fd).kind;
  }

  isSignalled(fd: number): boolean {
    return this.#entry(fd).signalled;
  }

  watch(fd: number, onSignal: () => void): { close(): void } {
    const entry = this.#entry(fd);
    entry.watchers.add(onSignal);
    return { close: () => void entry.watchers.delete(onSignal) };
  }

  close(fd: number): void {
    this.#entry(fd);
    this.#table.delete(fd);
  }

  #entry(fd: number): Entry {
    const entry = this.#table.get(fd);
    if (entry === undefined) throw new Error(`fd ${fd}: EBADF`);
    return entry;
  }
}
