/** A long-lived part of a daemon. `run` resolves after abort and rejects on a fault. */
export interface Task {
  readonly name: string;
  /** Settles once the task serves; READY=1 is sent when all have settled. */
  readonly ready: Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}
