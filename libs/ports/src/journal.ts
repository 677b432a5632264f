export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Keys to put and keys to drop, as one unit. */
export interface JournalChange {
  readonly put: ReadonlyMap<string, Json>;
  readonly del: readonly string[];
}

/** `before`: the entries as they were if the last change was begun and never committed; its effects may be partly there. */
export interface JournalState {
  readonly entries: ReadonlyMap<string, Json>;
  readonly before: ReadonlyMap<string, Json> | null;
}

/** Nothing can be written, on a full disk for instance; the journal is as it was before. */
export class JournalFault extends Error {
  override readonly name = 'JournalFault';
}

/**
 * What the daemon knows, written before the kernel is changed. One change at a time: `begin` states the intention and is durable
 * when it returns; `commit` says that the kernel followed. A `begin` after an uncommitted one commits it.
 */
export interface Journal {
  /** What is returned holds until the next change. */
  load(): JournalState;
  /** Throws JournalFault. */
  begin(change: JournalChange): void;
  /** May be lost, as by a crash right before it. */
  commit(): void;
  /** Forgets everything: the next load is empty. */
  erase(): void;
  close(): void;
}

/** `entries` after `change`. */
export function applyChange(entries: ReadonlyMap<string, Json>, change: JournalChange): Map<string, Json> {
  const next = new Map(entries);
  for (const key of change.del) next.delete(key);
  for (const [key, value] of change.put) next.set(key, value);
  return next;
}
