import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { applyChange, type Journal, type JournalChange, type JournalState, type Json } from '@pp/ports';
import { beginRecord, decodeRecords, encodeRecord, type JournalRecord } from './record';

/** The file is written anew when it holds this many bytes more than its live entries need. */
const SLACK_BYTES = 256 * 1024;

/**
 * A journal in one append-only file. A torn last line (power loss, full disk) is cut off at the next open: that change was never
 * begun. Writes are synchronous, because the kernel may be changed only after they are durable.
 */
export class FileJournal implements Journal {
  readonly #path: string;
  #fd: number;
  #entries: ReadonlyMap<string, Json>;
  #before: ReadonlyMap<string, Json> | null;
  #size: number;
  #liveSize = 0;

  /** Opens or makes the file at `path` and its directory. */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    this.#fd = openSync(path, 'a+', 0o600);
    const { records, bytes } = decodeRecords(readFileSync(path));
    ftruncateSync(this.#fd, bytes);
    ({ entries: this.#entries, before: this.#before } = replay(records));
    this.#size = bytes;
  }

  load(): JournalState {
    return { entries: this.#entries, before: this.#before };
  }

  begin(change: JournalChange): void {
    this.#append(beginRecord(change));
    fdatasyncSync(this.#fd);
    this.#before = this.#entries;
    this.#entries = applyChange(this.#entries, change);
  }

  commit(): void {
    this.#append({ do: 'commit' }); // lost with the power, it costs the next start a look: that is all
    this.#before = null;
    if (this.#size - this.#liveSize > SLACK_BYTES) this.#compact();
  }

  erase(): void {
    ftruncateSync(this.#fd, 0);
    fdatasyncSync(this.#fd);
    this.#entries = new Map();
    this.#before = null;
    this.#size = this.#liveSize = 0;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #append(record: JournalRecord): void {
    try {
      this.#size += writeAll(this.#fd, encodeRecord(record));
    } catch (fault) {
      ftruncateSync(this.#fd, this.#size); // a full disk took a part of it, which would hide what comes after
      throw fault;
    }
  }

  /** One `begin` with all entries, in a new file that takes the old one's name in one step. */
  #compact(): void {
    const fresh = `${this.#path}.new`;
    const fd = openSync(fresh, 'w', 0o600);
    const size = writeAll(
      fd,
      encodeRecord(beginRecord({ put: this.#entries, del: [] })) + encodeRecord({ do: 'commit' }),
    );
    fsyncSync(fd);
    renameSync(fresh, this.#path);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = this.#liveSize = size;
  }
}

function replay(records: readonly JournalRecord[]): JournalState {
  let entries: ReadonlyMap<string, Json> = new Map();
  let before: ReadonlyMap<string, Json> | null = null;
  for (const record of records) {
    if (record.do === 'commit') {
      before = null;
    } else {
      before = entries;
      entries = applyChange(entries, { put: new Map(Object.entries(record.put)), del: record.del });
    }
  }
  return { entries, before };
}

function writeAll(fd: number, text: string): number {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  return bytes.length;
}
