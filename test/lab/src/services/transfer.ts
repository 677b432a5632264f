import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Child } from '../child';
import type { Place } from '../place';
import { until } from '../until';

/** A TCP connection that carries numbers to a peer-echo and back, at some 10 MB/s, until it is told to finish. */
export class Transfer {
  readonly #process: Child;

  constructor(process: Child) {
    this.#process = process;
  }

  /** Bytes that came back as they were sent. */
  get confirmedBytes(): number {
    return Number(/confirmed (\d+)\n(?:.*)$/.exec(this.#process.stdout)?.[1] ?? 0);
  }

  /** Waits until so many bytes more have come back; throws where the connection broke. */
  async goesOn(bytes: number): Promise<void> {
    const goal = this.confirmedBytes + bytes;
    await until(
      `${bytes} bytes more have come back`,
      () => this.confirmedBytes >= goal || !this.#process.isRunning,
    );
    if (!this.#process.isRunning) throw new Error(`the transfer broke: ${this.#process.stderr}`);
  }

  /** Ends the connection in order; the bytes that it carried both ways. Throws where any was lost. */
  async finish(): Promise<number> {
    this.#process.endInput();
    const { code, stdout, stderr } = await this.#process.exited;
    const done = /^done (\d+)$/m.exec(stdout)?.[1];
    if (code !== 0 || done === undefined) throw new Error(`the transfer broke: ${stderr}`);
    return Number(done);
  }
}

/** Starts a transfer from `place` to the peer-echo at `address`. */
export async function startTransfer(place: Place, address: string, port = 7): Promise<Transfer> {
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const main = join(__dirname, 'transfer-main.ts');
  const args = ['--import', loader, main, address, String(port)];
  const child = place.spawn(process.execPath, args, { stdio: 'open' });
  await child.line('first confirmed bytes', (line) => (line.startsWith('confirmed ') ? true : undefined));
  return new Transfer(child);
}
