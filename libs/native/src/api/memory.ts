/** The memory of the process. */
export interface MemoryNative {
  /** V8 collects all that is garbage and gives free pages back to the kernel: some milliseconds in which nothing else runs. */
  collectGarbage(): void;
}
