import { enlarged, NONE } from './address-rows';

/** Rows in order, oldest first; NONE where there is none. Changed by `RowLinks` and nobody else. */
export interface RowList {
  first: number;
  last: number;
  size: number;
}

export const emptyList = (): RowList => ({ first: NONE, last: NONE, size: 0 });

/** Puts rows of one table into lists, each row into one at a time. A row takes 8 bytes, and comes and goes at the same cost in any list. */
export class RowLinks {
  #before = new Int32Array(16);
  #after = new Int32Array(16);

  append(list: RowList, row: number): void {
    this.#reserve(row);
    this.#before[row] = list.last;
    this.#after[row] = NONE;
    if (list.last === NONE) list.first = row;
    else this.#after[list.last] = row;
    list.last = row;
    list.size += 1;
  }

  /** It must be in that list. */
  remove(list: RowList, row: number): void {
    const [before, after] = [this.#before[row] ?? NONE, this.#after[row] ?? NONE];
    if (before === NONE) list.first = after;
    else this.#after[before] = after;
    if (after === NONE) list.last = before;
    else this.#before[after] = before;
    list.size -= 1;
  }

  /** The next younger one in its list, or NONE. */
  after(row: number): number {
    return this.#after[row] ?? NONE;
  }

  #reserve(row: number): void {
    if (row < this.#after.length) return;
    this.#before = enlarged(this.#before, Math.max(2 * this.#before.length, row + 1));
    this.#after = enlarged(this.#after, this.#before.length);
  }
}
