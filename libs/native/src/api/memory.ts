/** The memory of the process. */
export interface MemoryNative {
  /** V8 collects all that is garbage and gives free pages back to the kernel: 10 to 20 ms in which nothing else runs. */
  collectGarbage(): void;
}
