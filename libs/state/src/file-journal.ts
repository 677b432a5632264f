import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '@pp/daemon';
import {
  applyChange,
  JournalFault,
  type Journal,
  type JournalChange,
  type JournalState,
  type Json,
} from '@pp/ports';
import { beginsAsJournal, COMMIT, decodeRecords, encodeBegin, type JournalRecord } from './record';

/** The file is written anew when it holds this many bytes more than its live entries need. */
const SLACK_BYTES = 256 * 1024;

/** An empty file whose writes go to its end, wherever that is: after a cut too. */
const ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

/**
 * A journal in one append-only file. A torn last line (power loss, full disk) is cut off at the next open: that change was never
 * begun. Writes are synchronous, because the kernel may be changed only after they are durable.
 */
export class FileJournal implements Journal {
  readonly #path: string;
  #fd: number;
  /** BOUNDED: by who writes. */
  readonly #entries: Map<string, Json>;
  /** What takes the last change back, until it is committed. */
  #undo: JournalChange | null;
  #size: number;
  #liveSize = 0;

  /** Opens or makes the file at `path` and its directory. Throws what node:fs throws, and a JournalFault where the file holds something else. */
  constructor(path: string) {
    this.#path = path;
    makeDirectory(dirname(path));
    this.#fd = openSync(path, 'a+', 0o600);
    const file = readFileSync(path);
    if (!beginsAsJournal(file)) {
      this.close();
      throw new JournalFault(`${path} holds something else than a journal, and is left as it is`);
    }
    const { records, bytes } = decodeRecords(file);
    ftruncateSync(this.#fd, bytes);
    ({ entries: this.#entries, undo: this.#undo } = replay(records));
    this.#size = bytes;
  }

  load(): JournalState {
    const before = this.#undo === null ? null : applyChange(this.#entries, this.#undo);
    return { entries: this.#entries, before };
  }

  begin(change: JournalChange): void {
    const size = this.#size;
    try {
      this.#append(encodeBegin(change));
      fdatasyncSync(this.#fd);
    } catch (cause) {
      ftruncateSync(this.#fd, size); // a part of it would hide what comes after
      this.#size = size;
      throw new JournalFault(`the journal ${this.#path} cannot be written`, { cause });
    }
    this.#undo = changeInPlace(this.#entries, change);
  }

  commit(): void {
    this.#undo = null;
    const size = this.#size;
    try {
      this.#append(COMMIT);
    } catch {
      ftruncateSync(this.#fd, size); // lost, on a full disk or with the power, it costs the next start a look: that is all
    }
    if (this.#size - this.#liveSize > SLACK_BYTES) this.#compact();
  }

  erase(): void {
    ftruncateSync(this.#fd, 0);
    fdatasyncSync(this.#fd);
    this.#entries.clear();
    this.#undo = null;
    this.#size = this.#liveSize = 0;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #append(record: Uint8Array): void {
    this.#size += writeAll(this.#fd, record);
  }

  /** One `begin` with all entries, in a new file that takes the old one's name in one step. Where there is no room for it the old one goes on. */
  #compact(): void {
    const fresh = `${this.#path}.new`;
    const whole = Buffer.concat([encodeBegin({ put: this.#entries, del: [] }), COMMIT]);
    let fd = -1;
    try {
      fd = openSync(fresh, ANEW, 0o600);
      this.#liveSize = writeAll(fd, whole);
      fsyncSync(fd);
      renameSync(fresh, this.#path);
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === undefined) throw fault;
      this.#liveSize = this.#size; // it is tried again when the file has grown as much again
      if (fd >= 0) closeSync(fd);
      rmSync(fresh, { force: true });
      return;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = this.#liveSize;
  }
}

function replay(records: readonly JournalRecord[]): {
  readonly entries: Map<string, Json>;
  readonly undo: JournalChange | null;
} {
  const entries = new Map<string, Json>();
  let undo: JournalChange | null = null;
  for (const record of records) {
    if (record.do === 'commit') undo = null;
    else undo = changeInPlace(entries, { put: new Map(Object.entries(record.put)), del: record.del });
  }
  return { entries, undo };
}

/** Returns what takes the change back. */
function changeInPlace(entries: Map<string, Json>, { put, del }: JournalChange): JournalChange {
  const undo = { put: new Map<string, Json>(), del: [] as string[] };
  for (const key of del) {
    const was = entries.get(key);
    if (was !== undefined) undo.put.set(key, was);
    entries.delete(key);
  }
  // By forEach: a loop over the pairs of a map makes three objects for each.
  put.forEach((value, key) => {
    const was = entries.get(key);
    if (was !== undefined) undo.put.set(key, was);
    else if (!undo.put.has(key)) undo.del.push(key);
    entries.set(key, value);
  });
  return undo;
}

function writeAll(fd: number, bytes: Uint8Array): number {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  return bytes.length;
}
