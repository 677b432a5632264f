import type { Checked } from '@pp/base';

/** A network namespace held open, so that its inode stays its own until `close`; nothing of it is read after that. */
export interface HeldNetns {
  readonly inode: number;
  /** Field 22 of /proc/PID/stat, read when asked for: with the pid it names a process for good. Empty: it has ended. */
  readonly startTime: string;
  /** Effective uid of the process that was named, read when asked for; -1: it has ended. */
  readonly uid: number;
  /** It has a way out by IPv4 that no other of metric 0 can stand beside, read when asked for. */
  readonly hasDefaultRoute: boolean;
  /** It is the one this daemon runs in. */
  readonly isHost: boolean;
  close(): void;
}

/** The network namespaces of other processes. */
export interface ProcessNetns {
  /** Refused with NotFound: no such process, or it ended meanwhile (a zombie too). No other process can take the pid's place unnoticed. */
  open(pid: number): Checked<HeldNetns>;
}
