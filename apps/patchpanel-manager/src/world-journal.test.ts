import { MemoryLog } from '@pp/base/testing';
import { JournalFault, MemoryJournal } from '@pp/ports';
import { emptyWorld } from './domain/world';
import { worldOf } from './testing/worlds';
import { WorldJournal } from './world-journal';

const [one, two] = [1, 2].map((nextNamespace) => ({ ...emptyWorld(worldOf([], []).pools), nextNamespace }));
if (one === undefined || two === undefined) throw new Error();

/** A journal that says what it is told, and fails on demand. */
class TellingJournal extends MemoryJournal {
  readonly told: string[] = [];
  fault: Error | null = null;

  override begin(...change: Parameters<MemoryJournal['begin']>): void {
    if (this.fault !== null) throw this.fault;
    this.told.push(`begin ${JSON.stringify(change[0].put.get('next-namespace'))}`);
    super.begin(...change);
  }

  override commit(): void {
    if (this.fault !== null) throw this.fault;
    this.told.push('commit');
    super.commit();
  }

  override close(): void {
    this.told.push('close');
  }
}

interface Bench {
  readonly journal: WorldJournal;
  readonly file: TellingJournal;
  readonly faults: unknown[];
  /** The events at hand are over. */
  readonly turn: () => void;
}

function bench(): Bench {
  const tasks: (() => void)[] = [];
  const faults: unknown[] = [];
  const file = new TellingJournal();
  const journal = new WorldJournal({
    journal: file,
    log: new MemoryLog(),
    world: worldOf([], []),
    defer: (task) => tasks.push(task),
    onFault: (fault) => faults.push(fault),
  });
  const turn = (): void => {
    for (const task of tasks.splice(0)) task();
  };
  return { journal, file, faults, turn };
}

test('that the kernel followed is written after the events at hand, once', () => {
  const { journal, file, turn } = bench();
  journal.begin('first', one);
  journal.commit();
  expect(file.told).toEqual(['begin 1']);
  expect(file.load().before).not.toBeNull(); // a crash here costs the next start a look
  turn();
  turn();
  expect(file.told).toEqual(['begin 1', 'commit']);
});

test('a change that begins before that says as much: nothing commits it before its own end', () => {
  const { journal, file, turn } = bench();
  journal.begin('first', one);
  journal.commit();
  journal.begin('second', two);
  turn();
  expect(file.told).toEqual(['begin 1', 'begin 2']);
  journal.commit();
  turn();
  expect(file.told).toEqual(['begin 1', 'begin 2', 'commit']);
});

test('a change that cannot be written leaves the commit of the one before it', () => {
  const { journal, file, turn } = bench();
  journal.begin('first', one);
  journal.commit();
  file.fault = new JournalFault('the disk is full');
  expect(journal.begin('second', two)).toMatchObject({ ok: false });
  file.fault = null;
  turn();
  expect(file.told).toEqual(['begin 1', 'commit']);
});

test('the end does not wait for it', () => {
  const { journal, file, turn } = bench();
  journal.begin('first', one);
  journal.commit();
  journal.close();
  turn();
  expect(file.told).toEqual(['begin 1', 'commit', 'close']);
});

test('what is forgotten is committed no more', () => {
  const { journal, file, turn } = bench();
  journal.begin('first', one);
  journal.commit();
  journal.forget(one);
  turn();
  journal.close();
  expect(file.told).toEqual(['begin 1', 'close']);
  expect(file.load()).toEqual({ entries: new Map(), before: null });
});

test('a fault then is told, not thrown into the event loop', () => {
  const { journal, file, faults, turn } = bench();
  const fault = new Error('no such file');
  journal.begin('first', one);
  journal.commit();
  file.fault = fault;
  turn();
  expect(faults).toEqual([fault]);
});
