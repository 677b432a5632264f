import { applyChange, type Journal, type JournalChange, type JournalState, type Json } from './journal';

/** A journal that is gone with the process: for `memory:`, and for tests, which keep it through a "crash" of its user. */
export class MemoryJournal implements Journal {
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
