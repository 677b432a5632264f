import type { Clock, Logger, Millis } from '@pp/base';
import type { CounterTable } from '@pp/ports';
import type { RecordLog } from '@pp/state';
import type { Ledger } from './core/ledger';

/** What the service knows of the world outside. */
export interface Doors {
  readonly table: CounterTable;
  readonly log: Logger;
  readonly clock: Clock;
  /** Milliseconds since 1970, by the calendar. */
  readonly wall: () => number;
  /** Where samples are kept; opened already. */
  readonly history: HistoryFile;
  /** Eight hex digits that nobody had before. */
  readonly newId: () => string;
  /** Told after every sample of the clock, and after the last one. */
  readonly onSample?: (ledger: Ledger) => void;
}

/** `RecordLog` without its file. */
export type HistoryFile = Pick<RecordLog, 'load' | 'append' | 'restart' | 'size' | 'wholeSize' | 'close'>;

export interface Settings {
  /** Between two samples, at most. */
  readonly period: Millis;
  /** Most elements of each set. */
  readonly setSize: number;
  /** What becomes of the kernel's table when the service stops. */
  readonly onExit: 'clean' | 'keep';
}
