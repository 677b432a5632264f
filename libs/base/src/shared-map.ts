/**
 * A map that never changes: `changed` gives another one, which shares with it all but the change. Of maps made of one another, what differs is
 * found without a look at what is the same. In order of arrival, as a Map; no value is undefined.
 */
export class SharedMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** Keys of the base that have gone since, those that have come again among them. BOUNDED: `isMuch`, with what has come. */
  readonly #gone: ReadonlySet<K>;
  /** What has come since: in its place of the base, or after all of it where the base has it not or it has gone. */
  readonly #come: ReadonlyMap<K, V>;
  /** What it was made of, and all keys that may differ; until another one is made of this. */
  #last: { readonly map: SharedMap<K, V>; readonly keys: ReadonlySet<K> } | null = null;

  private constructor(base: ReadonlyMap<K, V>, gone: ReadonlySet<K>, come: ReadonlyMap<K, V>) {
    this.#base = base;
    this.#gone = gone;
    this.#come = come;
  }

  static of<K, V>(entries: Iterable<readonly [K, V]> = []): SharedMap<K, V> {
    return new SharedMap<K, V>(new Map(entries), new Set(), new Map());
  }

  /** Without `gone`, then with `come`; keys that are not there are nothing. */
  changed(come: readonly (readonly [K, V])[], gone: readonly K[] = []): SharedMap<K, V> {
    const goneToo = gone.filter((key) => this.#base.has(key));
    const allGone = goneToo.length === 0 ? this.#gone : new Set([...this.#gone, ...goneToo]);
    const allCome = new Map(this.#come);
    for (const key of gone) allCome.delete(key);
    for (const [key, value] of come) allCome.set(key, value);
    const small = new SharedMap(this.#base, allGone, allCome);
    const changed = isMuch(allGone.size + allCome.size, this.#base.size) ? SharedMap.of(small) : small;
    const keys = new Set(gone);
    for (const [key] of come) keys.add(key);
    changed.#last = { map: this, keys };
    this.#last = null; // or all that ever were would stay
    return changed;
  }

  /** Entries that `other` has not, or has with another value; values are compared by reference. */
  beside(other: SharedMap<K, V>): readonly (readonly [K, V])[] {
    if (this === other) return [];
    const differing: (readonly [K, V])[] = []; // BOUNDED: by the entries
    const look = (value: V, key: K): void => {
      if (other.get(key) !== value) differing.push([key, value]);
    };
    const changed = this.#keysSince(other) ?? other.#keysSince(this);
    if (changed !== null) {
      changed.forEach((key) => {
        const value = this.get(key);
        if (value !== undefined) look(value, key);
      });
      return differing;
    }
    if (other.#base !== this.#base) {
      this.forEach(look);
      return differing;
    }
    const lookAtOld = (key: K): void => {
      const value = this.#gone.has(key) || this.#come.has(key) ? undefined : this.#base.get(key);
      if (value !== undefined) look(value, key);
    };
    this.#come.forEach(look);
    other.#gone.forEach((key) => {
      if (!other.#come.has(key)) lookAtOld(key);
    });
    other.#come.forEach((_value, key) => {
      lookAtOld(key);
    });
    return differing;
  }

  /** Keys that `other` has not; at what `beside` costs. */
  keysBeside(other: SharedMap<K, V>): readonly K[] {
    return this.beside(other).flatMap(([key]) => (other.has(key) ? [] : [key]));
  }

  get(key: K): V | undefined {
    const value = this.#come.get(key);
    if (value !== undefined) return value;
    return this.#gone.has(key) ? undefined : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  get size(): number {
    let size = this.#base.size - this.#gone.size;
    this.#come.forEach((_value, key) => {
      if (!this.#isInPlace(key)) size++;
    });
    return size;
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    this.#base.forEach((value, key) => {
      if (!this.#gone.has(key)) visit(this.#come.get(key) ?? value, key, this);
    });
    this.#come.forEach((value, key) => {
      if (!this.#isInPlace(key)) visit(value, key, this);
    });
  }

  /** Which may differ from those of `map`, where this was made of it; null: that is not known. */
  #keysSince(map: SharedMap<K, V>): ReadonlySet<K> | null {
    return this.#last?.map === map ? this.#last.keys : null;
  }

  /** Whether what has come under this key stands where the base has it. */
  #isInPlace(key: K): boolean {
    return this.#base.has(key) && !this.#gone.has(key);
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
