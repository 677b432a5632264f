import { millis, type Cancel } from '@pp/base';
import type { Counted } from './core/accounts';
import type { Ledger } from './core/ledger';
import { monthOf, untilNextHourMs } from './core/periods';
import type { Doors, Settings } from './doors';
import { TableKeeper, type Kept, type Occasion, type What } from './table-keeper';

/** A table that is deleted again and again is made again after this pause. */
const REPAIR_PAUSE = millis(200);
/** So that a sample at the full hour is surely after it. */
const HOUR_MARGIN_MS = 5;

/**
 * Decides when the kernel's table is read and mended. One thing at a time: samples, repairs and changes of whom to count wait for each
 * other, so that what passed is always put down to whom it belonged to at the time.
 */
export class CounterService {
  readonly settings: Settings;
  readonly #doors: Doors;
  readonly #keeper: TableKeeper;
  #isStopped = false;
  #tail: Promise<unknown> = Promise.resolve();
  /** Samples that wait for their turn and have not begun: who comes now may share them. */
  readonly #waiting = new Map<What, Promise<void>>(); // BOUNDED: two
  #cancelTick: Cancel = () => undefined;
  #cancelRepair: Cancel = () => undefined;
  #stopWatching: () => void = () => undefined;

  constructor(doors: Doors, settings: Settings) {
    this.#doors = doors;
    this.settings = settings;
    this.#keeper = new TableKeeper(doors, settings);
  }

  get ledger(): Ledger {
    return this.#keeper.ledger;
  }

  /** The last of the table's losses, while the month lasts whose sum may be too small by it. */
  get recentLoss(): { readonly at: number; readonly unseenMs: number } | null {
    const { lastAt: at, unseenMs } = this.ledger.losses;
    return at === null || monthOf(at) < monthOf(this.#doors.wall()) ? null : { at, unseenMs };
  }

  /** What the status tells of the kernel's table and of the history. */
  get kept(): Kept {
    return this.#keeper;
  }

  /** Takes up the table that an earlier run left, or makes one. Rejects with a KernelError where there can be none. */
  async start(): Promise<void> {
    await this.#inTurn(() => this.#keeper.takeUp());
    this.#stopWatching = await this.#doors.table.watch(() => {
      this.#repairSoon();
    });
    this.#armTick();
  }

  /** From now on these are counted; what passed until now is put down to whom it was before. */
  setCounted(counted: Counted): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isStopped) await this.#keeper.count(counted);
    });
  }

  /**
   * After it the ledger has all that passed before the call; `uplinks`: but for what it knows of guests. Rejects with a KernelError where
   * the kernel does not tell.
   */
  refresh(what: What = 'all'): Promise<void> {
    const waiting = this.#waiting.get(what);
    if (waiting !== undefined) return waiting;
    const turn = this.#inTurn(async () => {
      this.#waiting.delete(what);
      if (!this.#isStopped) await this.#keeper.sample('asked', what);
    });
    this.#waiting.set(what, turn);
    return turn;
  }

  /** A last sample; the table goes or stays as the settings say. Idempotent. */
  async stop(): Promise<void> {
    this.#cancelTick();
    this.#cancelRepair();
    this.#stopWatching();
    await this.#inTurn(async () => {
      if (this.#isStopped) return;
      this.#isStopped = true;
      await this.#keeper.finish();
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined); // whoever asked for it is told
    return done;
  }

  #repairSoon(): void {
    this.#cancelRepair();
    this.#cancelRepair = this.#doors.clock.after('counters.repair', this.#pause(), () => {
      void this.#look('asked');
    });
  }

  /** At once, unless the last loss was just now. */
  #pause(): typeof REPAIR_PAUSE {
    const { lastAt } = this.ledger.losses;
    const since = lastAt === null ? Infinity : this.#doors.wall() - lastAt;
    return since >= 0 && since < REPAIR_PAUSE ? REPAIR_PAUSE : millis(0);
  }

  #armTick(): void {
    const { clock, wall } = this.#doors;
    const delay = Math.min(this.settings.period, untilNextHourMs(wall()) + HOUR_MARGIN_MS);
    this.#cancelTick = clock.after('counters.sample', millis(delay), () => {
      void this.#look('final').then(() => {
        if (!this.#isStopped) this.#armTick();
      });
    });
  }

  #look(occasion: Occasion): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isStopped) await this.#keeper.look(occasion);
    });
  }
}
