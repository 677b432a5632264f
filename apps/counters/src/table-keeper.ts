import { causeChain, KernelError } from '@pp/base';
import type { CountedElement, CounterReading, CounterTableWish, Missed } from '@pp/ports';
import { Accounts, isGuests, type Counted } from './core/accounts';
import type { Ledger } from './core/ledger';
import type { Doors, Settings } from './doors';
import { History } from './history';

/** How many elements the kernel's sets had at the last look, and what they could not take. */
export interface SetUse {
  readonly largestUplinkSet: number;
  readonly largestGuestSet: number;
  readonly missed: Missed;
}

/**
 * `final`: everything counts, and the sample outlives a power cut when it is taken. `asked`: somebody wants the sums now; guests' links that the
 * manager has not told of yet wait for the next sample, because it will tell in a moment.
 */
export type Occasion = 'final' | 'asked';

/** What is read of the kernel. */
export type What = 'all' | 'uplinks';

const UNUSED: SetUse = { largestUplinkSet: 0, largestGuestSet: 0, missed: { uplinks: 0n, guests: 0n } };

/** What is to be looked at from outside. */
export type Kept = Pick<TableKeeper, 'history' | 'accounts' | 'use' | 'run' | 'fault' | 'lookedAt'>;

/**
 * Keeps the kernel's table as it shall be, and puts what it counts into the ledger. One thing at a time: who calls waits for each promise
 * before the next call.
 */
export class TableKeeper {
  readonly #doors: Doors;
  readonly #settings: Settings;
  readonly #history: History;
  #accounts: Accounts;
  #run = '';
  /** As the kernel took the table last; null: never yet. */
  #made: CounterTableWish | null = null;
  #use: SetUse = UNUSED;
  #fault: string | null = null;
  #lookedAt: number | null = null;

  constructor(doors: Doors, settings: Settings) {
    this.#doors = doors;
    this.#settings = settings;
    this.#history = new History(doors.history, doors.log);
    this.#accounts = new Accounts({ uplinks: this.ledger.uplinks, links: null });
  }

  get ledger(): Ledger {
    return this.#history.ledger;
  }

  get history(): Pick<History, 'fault' | 'size'> {
    return this.#history;
  }

  get accounts(): Accounts {
    return this.#accounts;
  }

  get use(): SetUse {
    return this.#use;
  }

  get run(): string {
    return this.#run;
  }

  /** Why the kernel does not count; null: it does. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Calendar time of the last look; null: none yet. */
  get lookedAt(): number | null {
    return this.#lookedAt;
  }

  /** The table that an earlier run left, or a new one. Rejects with a KernelError where there can be none. */
  async takeUp(): Promise<void> {
    const { table } = this.#doors;
    const found = await table.findRun();
    const reading = found === null ? null : await table.read(found);
    const isAsWished = found?.endsWith(this.#sizeMark()) === true;
    if (found !== null && reading !== null) {
      this.#run = found;
      this.#take(reading, isAsWished ? 'asked' : 'final');
    }
    if (reading === null || !isAsWished) this.#run = this.#newRun();
    await this.#install();
  }

  /**
   * From now on these are counted; what passed until now is put down to whom it was before. Where it rejects, the kernel is asked again by the
   * next look.
   */
  async count(counted: Counted): Promise<void> {
    try {
      await this.sample('asked');
    } finally {
      this.#accounts = new Accounts(counted);
      const { uplinks } = counted;
      if (JSON.stringify(uplinks) !== JSON.stringify(this.ledger.uplinks))
        this.#history.record({ do: 'uplinks', uplinks }, 'later');
    }
    if (!this.#isMade()) await this.#install();
  }

  /** Where the table is gone a new one is made: what passed since the last look is lost. */
  async sample(occasion: Occasion, what: What = 'all'): Promise<void> {
    const reading = await this.#doors.table.read(this.#run, what);
    if (reading === null) {
      await this.#startAnew();
      return;
    }
    this.#take(reading, occasion);
    if (what === 'all') await this.#makeRoom(reading.elements);
  }

  /** Reads, and mends what others have damaged. What the kernel refuses is said once, told by the status, and to be tried again. */
  async look(occasion: Occasion): Promise<void> {
    try {
      await this.sample(occasion);
      const isDamaged = this.#made !== null && !(await this.#doors.table.isIntact(this.#made));
      if (isDamaged || !this.#isMade()) await this.#install();
      if (isDamaged) this.#loss('table.damaged');
      this.#fault = null;
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      if (this.#fault === null) this.#doors.log.warn('table.refused', { error: causeChain(fault) });
      this.#fault = fault.message;
    }
  }

  /** A last sample; the table goes or stays as the settings say. */
  async finish(): Promise<void> {
    try {
      await this.sample('final');
      if (this.#settings.onExit === 'clean') await this.#doors.table.remove();
    } finally {
      this.#history.close();
      this.#doors.table.close();
    }
  }

  /** The size is in the name, because nft keeps the size of a set that is there without a word. */
  #newRun(): string {
    return `${this.#doors.newId()}${this.#sizeMark()}`;
  }

  #sizeMark(): string {
    return `_${this.#settings.setSize}`;
  }

  #wish(): CounterTableWish {
    return { run: this.#run, size: this.#settings.setSize, counted: this.#accounts.ifnames };
  }

  #isMade(): boolean {
    return JSON.stringify(this.#made) === JSON.stringify(this.#wish());
  }

  async #install(): Promise<void> {
    const wish = this.#wish();
    await this.#doors.table.install(wish);
    this.#made = wish;
    this.#fault = null;
  }

  #take({ elements, missed }: CounterReading, occasion: Occasion): void {
    const now = this.#doors.wall();
    const isReset = this.ledger.isReset(this.#run, elements);
    const changed = this.ledger
      .changed(this.#run, elements)
      .filter((element) => occasion === 'final' || this.#accounts.knows(element));
    if (changed.length > 0) {
      const accounted = changed.map((element) => ({ ...element, ...this.#accounts.of(element) }));
      const at = this.#beganAt(now);
      const sample = { do: 'sample', at, run: this.#run, elements: accounted } as const;
      this.#history.record(sample, occasion === 'final' ? 'now' : 'later');
    }
    if (isReset) this.#loss('table.reset');
    if (missed !== null) this.#note(elements, missed, now);
    if (occasion === 'final') this.#doors.onSample?.(this.ledger);
  }

  /** A look at everything. */
  #note(elements: readonly CountedElement[], missed: Missed, now: number): void {
    const [guests, uplinks] = [elements.filter(isGuests), elements.filter((each) => !isGuests(each))];
    this.#use = { largestUplinkSet: largest(uplinks), largestGuestSet: largest(guests), missed };
    this.#lookedAt = now;
  }

  /** What passed belongs to the hour in which the time since the last look began; a calendar that was set in between says nothing of it. */
  #beganAt(now: number): number {
    const last = this.#lookedAt;
    return last !== null && last <= now && now - last <= 2 * this.#settings.period ? last : now;
  }

  /** Names of guests' links that never come back would fill the sets in the end. */
  async #makeRoom(elements: readonly CountedElement[]): Promise<void> {
    if (this.#use.largestGuestSet <= this.#settings.setSize / 2) return;
    const gone = elements.filter((element) => this.#accounts.isOfGone(element));
    if (gone.length === 0) return;
    await this.#doors.table.forget(this.#run, gone);
    this.#history.record({ do: 'forget', run: this.#run, elements: gone }, 'later');
  }

  async #startAnew(): Promise<void> {
    this.#run = this.#newRun();
    await this.#install();
    this.#loss('table.gone'); // as long as there was none, however often the kernel refused it
  }

  #loss(event: string): void {
    const at = this.#doors.wall();
    const unseenMs = Math.max(0, at - (this.#lookedAt ?? at));
    this.#doors.log.warn(event, { unseenMs });
    this.#history.record({ do: 'loss', at, unseenMs }, 'now');
    this.#lookedAt = at;
  }
}

/** Elements of the larger of the two sets. */
function largest(elements: readonly CountedElement[]): number {
  const rx = elements.filter(({ set }) => set.endsWith('rx')).length;
  return Math.max(rx, elements.length - rx);
}
