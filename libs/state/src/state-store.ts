/** An amount that one host adds to a total. */
export interface Delta {
  /** "2026-11". */
  readonly month: string;
  /** What is summed up, in the words of whoever does: the store only compares it. */
  readonly key: string;
  /** Never negative, of any size. */
  readonly amount: bigint;
}

/** What a host adds in one step: all of it, once. */
export interface Batch {
  readonly host: string;
  /** Who numbers the batches: another one for each journal that a host had. */
  readonly writer: string;
  /** 1, 2, 3, ...: a batch is sent again until it is answered, and nothing else before that. */
  readonly sequence: number;
  readonly deltas: readonly Delta[];
}

export interface Total {
  readonly host: string;
  readonly key: string;
  readonly amount: bigint;
}

/** Totals by month, host and key, of one host or of a fleet. Every promise rejects with a StoreFault where the store cannot be used. */
export interface StateStore {
  /** `known`: a batch of this writer with this or a later number was added before, so nothing was. */
  add(batch: Batch): Promise<'added' | 'known'>;
  /** In any order. */
  totals(month: string): Promise<readonly Total[]>;
  /** Those with totals, the earliest first. */
  months(): Promise<readonly string[]>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The store cannot be used now; whether a batch was added is not known. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
}
