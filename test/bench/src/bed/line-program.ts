import type { Place } from '@pp/lab';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

interface Asked {
  readonly resolve: (line: string) => void;
  readonly reject: (fault: Error) => void;
}

/** A program in a place of the lab that answers each request with one line, in order. It ends with its place. */
export class LineProgram {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #asked: Asked[] = []; // BOUNDED: by the requests under way
  readonly #early: string[] = []; // BOUNDED: by what the program says unasked, a line or two
  readonly #exited: Promise<void>;
  #ended: Error | undefined;
  #stderr = '';

  constructor(place: Place, command: string, args: readonly string[]) {
    const enter = ['-t', String(place.pid), '--net', '--mount', '--uts', '--'];
    this.#child = spawn('nsenter', [...enter, 'setpriv', '--pdeathsig', 'KILL', '--', command, ...args]);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child.stdin.on('error', () => undefined); // EPIPE: it ended, and that is told below
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#answer(line);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#end(new Error(`${command} ended (${signal ?? `exit ${code ?? '?'}`}): ${this.#stderr.trim()}`));
        resolve();
      });
    });
  }

  /** Sends `lines` and resolves with the answer; rejects when the program ends first. */
  ask(...lines: readonly string[]): Promise<string> {
    this.#child.stdin.write(lines.map((line) => `${line}\n`).join(''));
    return this.next();
  }

  /** The next line that it says, unasked. */
  next(): Promise<string> {
    const early = this.#early.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#asked.push({ resolve, reject }));
  }

  /** Ends its input and waits for it to end. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }

  #answer(line: string): void {
    const first = this.#asked.shift();
    if (first === undefined) this.#early.push(line);
    else first.resolve(line);
  }

  #end(fault: Error): void {
    this.#ended = fault;
    for (const { reject } of this.#asked.splice(0)) reject(fault);
  }
}

/** Milliseconds of an answer in nanoseconds. */
export const millisOf = (nanoseconds: string): number => Number(nanoseconds) / 1e6;
