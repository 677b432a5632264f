import { applyChange, type Journal, type JournalChange, type JournalState, type Json } from '../journal';

/** A journal that lives through a "crash" of its user because the test keeps it. */
export class MemoryJournal implements Journal {
  #entries: ReadonlyMap<string, Json> = new Map();
  #before: ReadonlyMap<string, Json> | null = null;

  load(): JournalState {
    return { entries: new Map(this.#entries), before: this.#before === null ? null : new Map(this.#before) };
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
