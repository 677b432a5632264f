/** See `watchFd`. Like every handle here it keeps the process running until it is closed; closing twice is allowed. */
export interface FdWatch {
  close(): void;
}

/** What poll(2) said. A pipe's write end whose reader closed shows `error` only. */
export interface PollEvents {
  readonly readable: boolean;
  readonly hangup: boolean;
  readonly error: boolean;
}

/** File descriptors and sockets of every kind. */
export interface FdNative {
  /** "ENOENT" for 2, for errors that come as numbers in netlink messages; "E<number>" for one without a name. */
  errnoName(errno: number): string;

  closeFd(fd: number): void;
  /** F_DUPFD_CLOEXEC. */
  dupFd(fd: number): number;
  /** pipe2(O_CLOEXEC): [read end, write end]. */
  pipe(): [number, number];
  /** S_IFMT of fstat as a word. */
  fdKind(fd: number): 'file' | 'directory' | 'fifo' | 'socket' | 'character' | 'block' | 'other';
  /** st_dev and st_ino, for telling one namespace or file from another. */
  fdIdentity(fd: number): { readonly dev: number; readonly ino: number };
  /**
   * Calls back once for each poll(2) report: readable, hang-up, error; level-triggered, so again and again until closed. The fd stays
   * the caller's, who may close it: a duplicate is watched, and its flags are left alone. EPERM: not pollable (a regular file).
   */
  watchFd(fd: number, onEvents: (events: PollEvents) => void): FdWatch;
  /** poll(2) with timeout 0. */
  pollFd(fd: number): PollEvents;

  // Socket options by number, as in the headers; `length`: of bytes at most, so that SO_GET_FILTER, which counts instructions, is EINVAL
  getSocketOption(fd: number, level: number, option: number, length: number): Uint8Array;
  setSocketOption(fd: number, level: number, option: number, value: Uint8Array): void;

  pidfdOpen(pid: number): number;
}
