import { causeChain, refuse, type Logger, type Refusal } from '@pp/base';
import { JournalFault, type Journal } from '@pp/ports';
import type { World } from './domain/world';
import {
  entriesBetween,
  entriesOfEnded,
  entriesOfSettled,
  entriesOfStart,
  type Remembered,
} from './world-entries';

interface Parts {
  readonly journal: Journal;
  readonly log: Logger;
  readonly world: World;
  /** Runs a task when whoever waits for a change has been answered. */
  readonly defer: (task: () => void) => void;
  /** Told of a fault of what was deferred. */
  readonly onFault: (fault: unknown) => void;
}

/**
 * The world in the journal, where each change is before the kernel is changed. That the kernel followed is written after whoever waits
 * has been answered: a crash in between costs the next start a look, and the `begin` of the next change says as much (Journal).
 */
export class WorldJournal {
  readonly #parts: Parts;
  readonly #journal: Journal;
  readonly #log: Logger;
  /** What the journal says. On a full disk it is behind the world, and catches up with the next change that can be written. */
  #written: World;
  /** The kernel has followed the last `begin`, and the journal has not heard of it. */
  #owesCommit = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#journal = parts.journal;
    this.#log = parts.log;
    this.#written = parts.world;
  }

  /** A start is about to clear away what `former` left. Throws JournalFault: there is no start without a journal. */
  beginStart(former: Remembered, world: World): void {
    this.#journal.begin(entriesOfStart(former, world));
  }

  /** Of what was left nothing is there any more. */
  endStart(world: World): void {
    this.#journal.begin(entriesOfSettled(world));
    this.#journal.commit();
    this.#written = world;
  }

  /** The refusal of a change that cannot be written, which is said in the log too. */
  begin(what: string, to: World): Refusal | null {
    try {
      this.#journal.begin(entriesBetween(this.#written, to));
      this.#owesCommit = false;
      this.#written = to;
      return null;
    } catch (fault) {
      if (!(fault instanceof JournalFault)) throw fault;
      this.#log.error('journal.unwritten', { what, cause: causeChain(fault) });
      return refuse('Failed', `${causeChain(fault)}; nothing was changed`);
    }
  }

  /** Soon. */
  commit(): void {
    this.#owesCommit = true;
    this.#parts.defer(() => {
      try {
        this.#commitNow();
      } catch (fault) {
        this.#parts.onFault(fault);
      }
    });
  }

  #commitNow(): void {
    if (!this.#owesCommit) return;
    this.#owesCommit = false;
    this.#journal.commit();
  }

  /** What comes back at the next start stays in the journal; on a full disk it takes the place of all that was there. */
  forget(world: World): void {
    this.#owesCommit = false;
    const { entries } = this.#journal.load();
    const left = entriesOfEnded(world, entries.keys());
    if (left === null) {
      this.#journal.erase();
      return;
    }
    try {
      this.#journal.begin(left);
    } catch (fault) {
      if (!(fault instanceof JournalFault)) throw fault;
      const gone = new Set(left.del);
      const put = new Map([...entries].filter(([key]) => !gone.has(key)));
      this.#journal.erase();
      this.#journal.begin({ put, del: [] });
    }
    this.#journal.commit();
  }

  close(): void {
    this.#commitNow();
    this.#journal.close();
  }
}
