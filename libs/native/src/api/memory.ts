/** The memory of the process. */
export interface MemoryNative {
  /** V8 collects all that is garbage and gives free pages back to the kernel, with those of the receive buffers: 10 to 20 ms in which nothing else runs. */
  collectGarbage(): void;
  /** `--name=value`, as for node's command line; from now on. An unknown name is said by V8 on standard error. */
  setV8Flags(flags: string): void;
}
