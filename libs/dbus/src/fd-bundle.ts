import type { CloseFd } from './byte-stream';

/** Owns the descriptors of one message: each is taken by one owner, and what nobody took is closed by `close`. */
export class FdBundle {
  readonly #fds: (number | undefined)[];
  readonly #closeFd: CloseFd;

  constructor(fds: readonly number[], closeFd: CloseFd) {
    this.#fds = [...fds]; // BOUNDED: one message's descriptors
    this.#closeFd = closeFd;
  }

  /** How many came, taken or not. */
  get count(): number {
    return this.#fds.length;
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
    const left = this.#fds.filter((fd) => fd !== undefined);
    this.#fds.fill(undefined);
    return left;
  }

  /** Closes what is left; idempotent. */
  close(): void {
    for (const fd of this.takeAll()) this.#closeFd(fd);
  }
}
