import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { makeDirectory } from '@pp/daemon';
import type { Json } from '@pp/ports';

/** `whole` stands for everything before it; `more` adds to it. */
export interface LogRecord {
  readonly kind: 'whole' | 'more';
  readonly value: Json;
}

export interface LoadedLog {
  /** Oldest first. */
  readonly records: readonly LogRecord[];
  /** Lines whose checksum does not fit; what comes after them is there. */
  readonly damaged: number;
  /** Bytes at the end that were no whole line, and are gone. */
  readonly torn: number;
}

const LINE_FEED = 0x0a;
const NOTHING: LoadedLog = { records: [], damaged: 0, torn: 0 };

/**
 * An append-only file of JSON records, a line each with its CRC-32. `restart` begins a new file with a record that stands for all before;
 * the former file is kept beside it (".old") and read where the beginning of the new one is lost. So a cut or a damage anywhere costs
 * the records that it hits and no others. Who writes records must bear that some of them are missing.
 */
export class RecordLog {
  readonly #path: string;
  #fd: number;
  #size: number;
  /** null: it was asked for. */
  #loaded: LoadedLog | null;
  /** As `wholeSize`. */
  #wholeSize: number;

  /** Opens or makes the file at `path` and its directory; throws what node:fs throws. */
  constructor(path: string) {
    this.#path = path;
    makeDirectory(dirname(path));
    this.#fd = openSync(path, 'a+', 0o600);
    const file = readFileSync(path);
    const own = decodeLines(file);
    const isWhole = own.records[0]?.kind === 'whole' && own.isFirstGood;
    this.#wholeSize = isWhole ? file.indexOf(LINE_FEED) + 1 : 0;
    const old = isWhole ? undefined : decodeLines(readIfThere(oldPath(path)));
    this.#size = file.length - own.torn;
    if (own.torn > 0) ftruncateSync(this.#fd, this.#size);
    this.#loaded = { ...own, records: [...(old?.records ?? []), ...own.records] };
  }

  /** What the file held when it was opened. It may be large and is not kept: whoever asks again is told nothing. */
  load(): LoadedLog {
    const loaded = this.#loaded ?? NOTHING;
    this.#loaded = null;
    return loaded;
  }

  /** Bytes of the `whole` that the file begins with; 0: it begins with none. */
  get wholeSize(): number {
    return this.#wholeSize;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#size;
  }

  /** `now`: it has outlived a power cut when this returns; `later`: a crash of this process. Throws what node:fs throws, and then nothing was added. */
  append(value: Json, durable: 'now' | 'later'): void {
    const line = encodeLine({ kind: 'more', value });
    try {
      writeAll(this.#fd, line);
    } catch (fault) {
      ftruncateSync(this.#fd, this.#size); // a full disk took a part of it
      throw fault;
    }
    this.#size += line.length;
    if (durable === 'now') fdatasyncSync(this.#fd);
  }

  /** Begins anew with one record that says all. Throws what node:fs throws, and then the former file goes on. */
  restart(value: Json): void {
    const fresh = `${this.#path}.new`;
    rmSync(fresh, { force: true });
    const fd = openSync(fresh, 'ax', 0o600);
    const line = encodeLine({ kind: 'whole', value });
    try {
      writeAll(fd, line);
      fsyncSync(fd);
      if (this.#wholeSize > 0) keepAsOld(this.#path);
      renameSync(fresh, this.#path);
    } catch (fault) {
      closeSync(fd);
      rmSync(fresh, { force: true });
      throw fault;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = line.length;
    this.#wholeSize = line.length;
    syncDirectory(dirname(this.#path));
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

const oldPath = (path: string): string => `${path}.old`;

function keepAsOld(path: string): void {
  rmSync(oldPath(path), { force: true });
  linkSync(path, oldPath(path));
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function readIfThere(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0);
    throw fault;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}

/** Eight hex digits of the CRC-32 of the rest, a space, `=` or `+`, JSON text, a line feed. */
export function encodeLine({ kind, value }: LogRecord): Uint8Array {
  const rest = `${kind === 'whole' ? '=' : '+'}${JSON.stringify(value)}`;
  return new TextEncoder().encode(`${checksum(rest)} ${rest}\n`);
}

interface DecodedLines extends LoadedLog {
  readonly isFirstGood: boolean;
}

/** Lines that are good; the others are counted. */
export function decodeLines(file: Uint8Array): DecodedLines {
  const records: LogRecord[] = []; // BOUNDED: by the file
  const decoder = new TextDecoder();
  let [damaged, start, isFirstGood] = [0, 0, false];
  for (let end = file.indexOf(LINE_FEED); end >= 0; end = file.indexOf(LINE_FEED, start)) {
    const record = decodeLine(decoder.decode(file.subarray(start, end)));
    if (start === 0) isFirstGood = record !== null;
    if (record === null) damaged++;
    else records.push(record);
    start = end + 1;
  }
  return { records, damaged, torn: file.length - start, isFirstGood };
}

function decodeLine(line: string): LogRecord | null {
  const rest = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(rest)) return null;
  const value = JSON.parse(rest.slice(1)) as Json; // what carries our checksum was written by us
  return { kind: rest.startsWith('=') ? 'whole' : 'more', value };
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
