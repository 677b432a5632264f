/** A process that runs a helper. */
export interface HelperProcess {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names a process for good. */
  readonly startTime: string;
  /** How it ended: "exit 1", "SIGKILL". Never rejects. */
  readonly ended: Promise<string>;
  /** Until then the program does not run, and where we end first it never does: what runs has been written down. */
  begin(): void;
  /** Does nothing once it has ended. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** What is written down of a helper that runs, so that the next manager can end it where this one is killed. */
export interface HelperRecord {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
}

/** The helpers' programs and processes on this machine. */
export interface HelperProcesses {
  /** Its program is there. */
  isThere(name: string): boolean;
  /** A program that cannot be started is one that ended at once. */
  start(name: string): HelperProcess;
  /** The very process of a record, if it still runs. */
  find(record: HelperRecord): HelperProcess | null;
  /** What the last call of `save` wrote, by whatever run of the manager. */
  load(): readonly HelperRecord[];
  /** Where they cannot be written, that is logged: it is no reason to end. */
  save(records: readonly HelperRecord[]): void;
}
