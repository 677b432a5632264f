import { backoff, seconds, type Cancel, type Clock, type Logger } from '@pp/base';
import type { HelperProcess, HelperProcesses } from './helper-processes';

/** The first wait before a restart; it doubles up to the longest. */
const FIRST_WAIT = seconds(0.2);
const LONGEST_WAIT = seconds(30);
/** One that lived so long was well: its next wait is the first again. */
const WELL = seconds(60);

/** One helper as the status shows it. */
export interface HelperStatus {
  readonly name: string;
  /** `absent`: its program does not lie beside the manager's; `idle`: it has no work on this host as it is. */
  readonly state: 'running' | 'waiting' | 'idle' | 'absent';
  readonly pid: number | null;
  readonly restarts: number;
  /** How it ended last: "exit 1". */
  readonly lastEnd: string | null;
  /** The pid of another one that has its place in this network namespace; it is not started until that one has gone. */
  readonly other: number | null;
}

export interface KeptHelperParts {
  readonly processes: Pick<HelperProcesses, 'isThere' | 'start'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hasWork: (name: string) => boolean;
  /** The pid of one that runs already, and would keep it out. */
  readonly otherOne: (name: string) => number | null;
  /** Called when there is a process, before its program runs, and when it has ended. */
  readonly onChange: () => void;
}

/**
 * Runs one helper, and runs it again when it ends, for ever; later and later while it does not stay up. While this host has no work for it,
 * or another one does it, it waits.
 */
export class KeptHelper {
  readonly name: string;
  readonly #parts: KeptHelperParts;
  #process: HelperProcess | null = null;
  #delays = backoff(FIRST_WAIT, LONGEST_WAIT);
  #starts = 0;
  #lastEnd: string | null = null;
  #isWanted = false;
  #isIdle = false;
  #other: number | null = null;
  #cancelWait: Cancel = () => undefined;

  constructor(name: string, parts: KeptHelperParts) {
    this.name = name;
    this.#parts = parts;
  }

  get process(): HelperProcess | null {
    return this.#process;
  }

  get status(): HelperStatus {
    const pid = this.#process?.pid ?? null;
    const restarts = Math.max(0, this.#starts - 1);
    const [lastEnd, other] = [this.#lastEnd, this.#other];
    return { name: this.name, state: this.#stateOf(pid), pid, restarts, lastEnd, other };
  }

  start(): void {
    if (!this.#parts.processes.isThere(this.name)) return;
    this.#isWanted = true;
    this.#look();
  }

  /** No more restarts; the process that runs is the caller's to end. */
  release(): void {
    this.#isWanted = false;
    this.#cancelWait();
  }

  #stateOf(pid: number | null): HelperStatus['state'] {
    if (pid !== null) return 'running';
    if (!this.#isWanted) return 'absent';
    return this.#isIdle ? 'idle' : 'waiting';
  }

  #look(): void {
    const { name } = this;
    const { clock, log, hasWork, otherOne } = this.#parts;
    const [wasIdle, before] = [this.#isIdle, this.#other];
    this.#isIdle = !hasWork(name);
    this.#other = this.#isIdle ? null : otherOne(name);
    if (!this.#isIdle && this.#other === null) {
      this.#run();
      return;
    }
    if (this.#isIdle && !wasIdle) log.info('helper.idle', { name });
    if (this.#other !== null && this.#other !== before)
      log.warn('helper.another', { name, pid: this.#other });
    this.#cancelWait = clock.after(`helper ${this.name}`, LONGEST_WAIT, () => {
      this.#look();
    });
  }

  #run(): void {
    const { processes, clock, log, onChange } = this.#parts;
    const born = clock.now();
    const process = processes.start(this.name);
    this.#starts++;
    this.#process = process;
    onChange();
    process.begin();
    log.debug('helper.started', { name: this.name, pid: process.pid });
    void process.ended.then((end) => {
      this.#process = null;
      this.#lastEnd = end;
      onChange();
      if (this.#isWanted) this.#await(end, clock.now() - born);
    });
  }

  #await(end: string, livedMs: number): void {
    const { clock, log } = this.#parts;
    if (livedMs >= WELL) this.#delays = backoff(FIRST_WAIT, LONGEST_WAIT);
    const wait = this.#delays.next().value;
    log.warn('helper.ended', { name: this.name, end, livedMs: Math.round(livedMs), againInMs: wait });
    this.#cancelWait = clock.after(`helper ${this.name}`, wait, () => {
      this.#look();
    });
  }
}
