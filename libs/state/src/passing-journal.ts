import { applyChange, type Journal, type JournalChange, type JournalState, type Json } from '@pp/ports';

/** A journal that is gone with the process: for `memory:`. */
export class PassingJournal implements Journal {
  #entries: ReadonlyMap<string, Json> = new Map();
  #before: ReadonlyMap<string, Json> | null = null;

  load(): JournalState {
    return { entries: this.#entries, before: this.#before };
  }

  begin(change: JournalChange): void {
    this.#before = this.#entries;
    this.#entries = applyChange(this.#entries, change);
  }

  commit(): void {
    this.#before = null;
  }

  erase(): void {
    this.#entries = new Map();
    this.#before = null;
  }

  close(): void {
    // Nothing is held.
  }
}
