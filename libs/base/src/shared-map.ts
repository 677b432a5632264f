const GONE = Symbol('gone');

/**
 * A map that never changes: `changed` gives another one, which shares with it all but the change. Of maps made of one another, what differs is
 * found without a look at what is the same. In order of arrival, as a Map; no value is undefined.
 */
export class SharedMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** What has come and gone since; GONE only of keys of the base. BOUNDED: `isMuch`. */
  readonly #since: ReadonlyMap<K, V | typeof GONE>;

  private constructor(base: ReadonlyMap<K, V>, since: ReadonlyMap<K, V | typeof GONE>) {
    this.#base = base;
    this.#since = since;
  }

  static of<K, V>(entries: Iterable<readonly [K, V]> = []): SharedMap<K, V> {
    return new SharedMap<K, V>(new Map(entries), new Map());
  }

  /** Without `gone`, then with `come`; keys that are not there are nothing. */
  changed(come: readonly (readonly [K, V])[], gone: readonly K[] = []): SharedMap<K, V> {
    const since = new Map(this.#since);
    for (const key of gone) {
      if (this.#base.has(key)) since.set(key, GONE);
      else since.delete(key);
    }
    for (const [key, value] of come) {
      // What comes again has its place at the end.
      if (since.get(key) === GONE) return SharedMap.of(new SharedMap(this.#base, since)).changed(come);
      since.set(key, value);
    }
    const changed = new SharedMap(this.#base, since);
    return isMuch(since.size, this.#base.size) ? SharedMap.of(changed) : changed;
  }

  /** Entries that `other` has not, or has with another value; values are compared by reference. */
  beside(other: SharedMap<K, V>): readonly (readonly [K, V])[] {
    if (this === other) return [];
    const differing: (readonly [K, V])[] = []; // BOUNDED: by the entries
    const look = (value: V | typeof GONE, key: K): void => {
      if (value !== GONE && other.get(key) !== value) differing.push([key, value]);
    };
    if (other.#base !== this.#base) {
      this.forEach(look);
      return differing;
    }
    this.#since.forEach(look);
    other.#since.forEach((_value, key) => {
      const value = this.#since.has(key) ? undefined : this.#base.get(key);
      if (value !== undefined) look(value, key);
    });
    return differing;
  }

  /** Keys that `other` has not; at what `beside` costs. */
  keysBeside(other: SharedMap<K, V>): readonly K[] {
    return this.beside(other).flatMap(([key]) => (other.has(key) ? [] : [key]));
  }

  get(key: K): V | undefined {
    const value = this.#since.get(key);
    if (value === undefined) return this.#base.get(key);
    return value === GONE ? undefined : value;
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  get size(): number {
    let size = this.#base.size;
    this.#since.forEach((value, key) => {
      if (value === GONE) size--;
      else if (!this.#base.has(key)) size++;
    });
    return size;
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    this.#base.forEach((value, key) => {
      const now = this.#since.get(key);
      if (now !== GONE) visit(now ?? value, key, this);
    });
    this.#since.forEach((value, key) => {
      if (value !== GONE && !this.#base.has(key)) visit(value, key, this);
    });
  }

  entries(): MapIterator<[K, V]> {
    return this.#list((value, key) => [key, value]);
  }

  keys(): MapIterator<K> {
    return this.#list((_value, key) => key);
  }

  values(): MapIterator<V> {
    return this.#list((value) => value);
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  #list<T>(pick: (value: V, key: K) => T): MapIterator<T> {
    const picked: T[] = []; // BOUNDED: by the entries
    this.forEach((value, key) => picked.push(pick(value, key)));
    return picked.values();
  }
}

/** A change copies what has changed since, and every so often all: so many that both cost the same. */
const isMuch = (since: number, base: number): boolean => since * since > 2 * base + 256;
