export type DescriptorKind = 'file' | 'directory' | 'fifo' | 'socket' | 'character' | 'block' | 'other';

/** File descriptors that clients passed to us. */
export interface Descriptors {
  kind(fd: number): DescriptorKind;
  /** poll(2) reports something now: data, hang-up or error. */
  isSignalled(fd: number): boolean;
  /** Calls back once, at the first report of poll(2); the fd stays the caller's. Idempotent `close`. */
  watch(fd: number, onSignal: () => void): { close(): void };
  close(fd: number): void;
}
