import { causeChain, type Logger } from '@pp/base';
import { ExitCode, Refused } from '@pp/daemon';
import type { HistoryFile } from './doors';
import { Ledger } from './core/ledger';
import { recordFromJson, recordToJson, type HistoryRecord } from './core/record';

/** The file is written anew when it has this many bytes beyond twice what it began with. */
const SLACK_BYTES = 1 << 20;

/** The ledger and the file that it comes back from. A file that takes nothing (full disk) loses nothing: all is written when it takes something again. */
export class History {
  readonly #file: HistoryFile;
  readonly #log: Logger;
  readonly ledger: Ledger;
  /** Why the file does not hold all; null: it does. */
  #fault: string | null = null;

  /** Throws Refused for a file of a later version. */
  constructor(file: HistoryFile, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.ledger = read(file, log);
    if (file.wholeSize === 0) this.#rewrite();
  }

  get fault(): string | null {
    return this.#fault;
  }

  get size(): number {
    return this.#file.size;
  }

  /** Counts it, and writes it down. */
  record(record: HistoryRecord, durable: 'now' | 'later'): void {
    this.ledger.apply(record);
    if (this.#fault !== null) this.#rewrite();
    else this.#try(() => {
      this.#file.append(recordToJson(record), durable);
    }); // prettier-ignore
    if (this.#file.size > 2 * this.#file.wholeSize + SLACK_BYTES) this.#rewrite();
  }

  close(): void {
    if (this.#fault !== null) this.#rewrite();
    this.#file.close();
  }

  #rewrite(): void {
    this.#try(() => {
      this.#file.restart(this.ledger.toJson());
    });
  }

  #try(write: () => void): void {
    try {
      write();
      if (this.#fault !== null) this.#log.info('history.written');
      this.#fault = null;
    } catch (fault) {
      if (!(fault instanceof Error && 'code' in fault)) throw fault;
      if (this.#fault === null) this.#log.warn('history.unwritten', { error: causeChain(fault) });
      this.#fault = fault.message;
    }
  }
}

function read(file: HistoryFile, log: Logger): Ledger {
  const { records, damaged, torn } = file.load();
  if (damaged > 0) log.warn('history.damaged', { lines: damaged });
  if (torn > 0) log.info('history.torn', { bytes: torn });
  let ledger = new Ledger();
  for (const { kind, value } of records) {
    if (kind === 'more') {
      ledger.apply(recordFromJson(value));
      continue;
    }
    const whole = Ledger.fromJson(value);
    if (whole === null)
      throw new Refused(ExitCode.failed, 'the history was written by a later version of counters', {
        advice: 'use that one, or another --history-dir',
      });
    ledger = whole;
  }
  return ledger;
}
