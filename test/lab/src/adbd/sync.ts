import { closeSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ByteQueue } from './byte-queue';
import type { AdbService, AdbStream } from './connection';

/** AOSP, adb/SYNC.TXT: requests of an id and a length, then a path or data. */
const REQUEST_BYTES = 8;
const CHUNK_BYTES = 64 * 1024;
const REGULAR_FILE = 0o100644;

/** "sync:": files go to and come from one directory, by the last part of their path. */
export class SyncService implements AdbService {
  readonly #stream: AdbStream;
  readonly #directory: string;
  readonly #input = new ByteQueue();
  /** The file that is being received. */
  #receiving: { readonly fd: number; readonly path: string } | undefined;
  #last = Promise.resolve();

  constructor(stream: AdbStream, directory: string) {
    this.#stream = stream;
    this.#directory = directory;
  }

  onData(data: Buffer): void {
    this.#input.push(data);
    while (this.#obey());
  }

  onClose(): void {
    if (this.#receiving !== undefined) closeSync(this.#receiving.fd);
    this.#receiving = undefined;
  }

  /** One request, if all of it is there. */
  #obey(): boolean {
    const header = this.#input.peek(REQUEST_BYTES);
    if (header === null) return false;
    const [id, length] = [header.toString('latin1', 0, 4), header.readUInt32LE(4)];
    if (id === 'DONE' || id === 'QUIT') {
      this.#input.take(REQUEST_BYTES);
      if (id === 'DONE') this.#finish();
      else this.#stream.close();
      return true;
    }
    const whole = this.#input.take(REQUEST_BYTES + length);
    if (whole === null) return false;
    this.#begin(id, whole.subarray(REQUEST_BYTES));
    return true;
  }

  #begin(id: string, body: Buffer): void {
    switch (id) {
      case 'STAT':
        this.#answer(stat(this.#pathOf(body.toString())));
        return;
      case 'SEND': {
        const path = this.#pathOf(body.toString().replace(/,\d+$/, ''));
        this.#receiving = { path, fd: openSync(`${path}.part`, 'w') };
        return;
      }
      case 'DATA':
        if (this.#receiving !== undefined) writeSync(this.#receiving.fd, body);
        return;
      case 'RECV':
        this.#last = this.#last.then(() => this.#deliver(this.#pathOf(body.toString())));
        return;
      default:
        this.#answer(failure(`${id} is not emulated`));
    }
  }

  #finish(): void {
    if (this.#receiving === undefined) return;
    const { fd, path } = this.#receiving;
    this.#receiving = undefined;
    closeSync(fd);
    renameSync(`${path}.part`, path);
    this.#answer(words('OKAY', 0));
  }

  async #deliver(path: string): Promise<void> {
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) {
      await this.#stream.write(failure('No such file or directory'));
      return;
    }
    const fd = openSync(path, 'r');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0; at < size;) {
      const length = readSync(fd, chunk, 0, CHUNK_BYTES, at);
      await this.#stream.write(Buffer.concat([words('DATA', length), chunk.subarray(0, length)]));
      at += length;
    }
    closeSync(fd);
    await this.#stream.write(words('DONE', 0));
  }

  #answer(answer: Buffer): void {
    this.#last = this.#last.then(() => this.#stream.write(answer));
  }

  #pathOf(remote: string): string {
    return join(this.#directory, remote.slice(remote.lastIndexOf('/') + 1) || 'root');
  }
}

function stat(path: string): Buffer {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined
    ? words('STAT', 0, 0, 0)
    : words('STAT', REGULAR_FILE, found.size, Math.floor(found.mtimeMs / 1000));
}

const failure = (sentence: string): Buffer =>
  Buffer.concat([words('FAIL', Buffer.byteLength(sentence)), Buffer.from(sentence)]);

function words(id: string, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + values.length * 4);
  bytes.write(id, 'latin1');
  values.forEach((value, place) => bytes.writeUInt32LE(value, 4 + place * 4));
  return bytes;
}
