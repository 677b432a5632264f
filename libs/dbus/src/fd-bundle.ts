import type { CloseFd } from './byte-stream';

/** Owns the descriptors of one message: each is taken by one owner, and what nobody took is closed by `close`. */
export class FdBundle {
  /** How many came, taken or not. */
  readonly count: number;
  readonly #fds: (number | undefined)[]; // BOUNDED: one message's descriptors
  readonly #closeFd: CloseFd;

  constructor(fds: readonly number[], closeFd: CloseFd) {
    this.count = fds.length;
    this.#fds = fds.slice();
    this.#closeFd = closeFd;
  }

  /** Moves one descriptor to the caller. Throws RangeError when there is none at `index`, or it was taken or closed. */
  take(index: number): number {
    const fd = this.#fds[index];
    if (fd === undefined) throw new RangeError(`no file descriptor left at index ${index}`);
    this.#fds[index] = undefined;
    return fd;
  }

  /** Moves all that is left to the caller. */
  takeAll(): number[] {
    return this.#fds.splice(0).filter((fd) => fd !== undefined);
  }

  /** Closes what is left; idempotent. */
  close(): void {
    if (this.#fds.length === 0) return;
    for (const fd of this.takeAll()) this.#closeFd(fd);
  }
}
