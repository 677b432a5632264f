/** Instead of a row: there is none. */
export const NONE = -1;

const WORDS = 4;
const FIRST_CAPACITY = 16;

/**
 * A small number, its row, for each of many addresses: who keeps something of thousands keeps it in columns, arrays by row. An address
 * takes 24 bytes here; as a key in a Map 60 and as bytes of its own 200. A row is given again after `remove`. A hash table with
 * chains; by the seed nobody outside knows which addresses fall together.
 */
export class AddressRows {
  #capacity = FIRST_CAPACITY;
  #words = new Int32Array(WORDS * FIRST_CAPACITY);
  /** The next row in the same bucket, or the next that is free. */
  #next = new Int32Array(FIRST_CAPACITY);
  /** The first row in each; a power of two. */
  #buckets = new Int32Array(FIRST_CAPACITY).fill(NONE);
  #free = NONE;
  #end = 0;
  #size = 0;

  constructor(private readonly seed: number) {}

  get size(): number {
    return this.#size;
  }

  /** All rows are below; so long are columns. */
  get end(): number {
    return this.#end;
  }

  /** The row of an address, or of the one that begins at `at` in longer bytes; else NONE. */
  find(bytes: Uint8Array, at = 0): number {
    const a = word(bytes, at);
    const b = word(bytes, at + 4);
    const c = word(bytes, at + 8);
    const d = word(bytes, at + 12);
    const words = this.#words;
    let row = this.#buckets[this.#bucketOf(a, b, c, d)] ?? NONE;
    for (; row !== NONE; row = this.#next[row] ?? NONE) {
      const first = WORDS * row;
      if (words[first + 3] === d && words[first + 2] === c && words[first + 1] === b && words[first] === a)
        break;
    }
    return row;
  }

  /** For an address that has none yet. */
  add(address: Uint8Array): number {
    const row = this.#takeFree();
    for (let i = 0; i < WORDS; i++) this.#words[WORDS * row + i] = word(address, 4 * i);
    this.#link(row);
    this.#size += 1;
    return row;
  }

  remove(row: number): void {
    this.#unlink(row);
    this.#next[row] = this.#free;
    this.#free = row;
    this.#size -= 1;
  }

  /** New bytes each time. */
  addressAt(row: number): Uint8Array {
    const address = new Uint8Array(4 * WORDS);
    const view = new DataView(address.buffer);
    for (let i = 0; i < WORDS; i++) view.setInt32(4 * i, this.#words[WORDS * row + i] ?? 0);
    return address;
  }

  #takeFree(): number {
    const row = this.#free;
    if (row !== NONE) {
      this.#free = this.#next[row] ?? NONE;
      return row;
    }
    if (this.#end === this.#capacity) this.#grow();
    return this.#end++;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#words = enlarged(this.#words, WORDS * this.#capacity);
    this.#next = enlarged(this.#next, this.#capacity);
    this.#buckets = new Int32Array(this.#capacity).fill(NONE);
    for (let row = 0; row < this.#end; row++) this.#link(row); // none is free now
  }

  #link(row: number): void {
    const bucket = this.#bucketAt(row);
    this.#next[row] = this.#buckets[bucket] ?? NONE;
    this.#buckets[bucket] = row;
  }

  #unlink(row: number): void {
    const bucket = this.#bucketAt(row);
    const next = this.#next[row] ?? NONE;
    let before = this.#buckets[bucket] ?? NONE;
    if (before === row) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#next[before] !== row) before = this.#next[before] ?? NONE;
    this.#next[before] = next;
  }

  #bucketAt(row: number): number {
    const words = this.#words;
    const first = WORDS * row;
    return this.#bucketOf(
      words[first] ?? 0,
      words[first + 1] ?? 0,
      words[first + 2] ?? 0,
      words[first + 3] ?? 0,
    );
  }

  #bucketOf(a: number, b: number, c: number, d: number): number {
    const hash = mixed(mixed(mixed(mixed(mixed(this.seed, a), b), c), d), 0);
    return hash & (this.#capacity - 1);
  }
}

/** What `column` has, and zeroes behind it. */
export function enlarged(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(column);
  return larger;
}

/** A round of a multiplicative hash: the product carries each bit up, the shift down. */
function mixed(hash: number, more: number): number {
  const product = Math.imul(hash ^ more, 0x9e3779b1);
  return product ^ (product >>> 15);
}

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);
