import type { KernelError } from '@pp/base';
import { COUNTING_SETS, SOURCE_MASK, type CountingSet } from '@pp/datapath';
import {
  countedKeyText,
  type CountedElement,
  type CountedKey,
  type CounterReading,
  type CounterTable,
  type CounterTableWish,
} from '../counter-table';

/** The kernel's side of the counters: what a test lets pass is counted as the table's rules would count it. */
export class FakeCounterTable implements CounterTable {
  /** The next request is refused with this. */
  refusal: KernelError | null = null;
  /** How often the table was made or completed. */
  installs = 0;
  #wish: CounterTableWish | null = null;
  readonly #elements = new Map<string, CountedElement>(); // BOUNDED: by `size`, as in the kernel
  #missed = { uplinks: 0n, guests: 0n };
  readonly #watchers = new Set<() => void>(); // BOUNDED: by the test

  /** One packet that matches the set's rule. */
  pass(key: CountedKey, bytes: bigint, packets = 1n): void {
    if (this.#wish === null) return;
    if (!this.#wish.counted.includes(key.uplink)) return;
    const cut = { ...key, mark: key.mark & SOURCE_MASK };
    const text = countedKeyText(cut);
    const before = this.#elements.get(text);
    if (before === undefined && this.#sizeOf(key.set) >= this.#wish.size) {
      this.#missed[key.set.startsWith('guest') ? 'guests' : 'uplinks'] += packets;
      return;
    }
    const { bytes: oldBytes, packets: oldPackets } = before ?? { bytes: 0n, packets: 0n };
    this.#elements.set(text, { ...cut, key: text, bytes: oldBytes + bytes, packets: oldPackets + packets });
  }

  /** What a foreign `nft flush ruleset` does. */
  flush(): void {
    this.#wish = null;
    this.#empty();
    for (const tell of this.#watchers) tell();
  }

  get wish(): CounterTableWish | null {
    return this.#wish;
  }

  findRun(): Promise<string | null> {
    return this.#answer(() => this.#wish?.run ?? null);
  }

  install(wish: CounterTableWish): Promise<void> {
    return this.#answer(() => {
      this.installs++;
      if (this.#wish?.run !== wish.run) this.#empty();
      this.#wish = wish;
    });
  }

  isIntact({ run, counted }: CounterTableWish): Promise<boolean> {
    const names = (all: readonly string[]): string => [...all].sort().join(' ');
    return this.#answer(() => this.#wish?.run === run && names(this.#wish.counted) === names(counted));
  }

  read(run: string, what: 'all' | 'uplinks' = 'all'): Promise<CounterReading | null> {
    return this.#answer(() => {
      if (this.#wish?.run !== run) return null;
      const elements = [...this.#elements.values()];
      return what === 'all'
        ? { elements, missed: { ...this.#missed } }
        : { elements: elements.filter(({ set }) => set.startsWith('uplink')), missed: null };
    });
  }

  forget(_run: string, elements: readonly CountedElement[]): Promise<void> {
    return this.#answer(() => {
      for (const { key } of elements) this.#elements.delete(key);
    });
  }

  remove(): Promise<void> {
    return this.#answer(() => {
      if (this.#wish !== null) this.flush();
    });
  }

  watch(onDeletion: () => void): Promise<() => void> {
    this.#watchers.add(onDeletion);
    onDeletion(); // what was deleted before may have been missed
    return Promise.resolve(() => {
      this.#watchers.delete(onDeletion);
    });
  }

  close(): void {
    this.#watchers.clear();
  }

  #empty(): void {
    this.#elements.clear();
    this.#missed = { uplinks: 0n, guests: 0n };
  }

  #sizeOf(set: CountingSet): number {
    return [...this.#elements.values()].filter((element) => element.set === set).length;
  }

  #answer<T>(make: () => T): Promise<T> {
    const { refusal } = this;
    this.refusal = null;
    return refusal === null ? Promise.resolve(make()) : Promise.reject(refusal);
  }
}

/** In the order of the sets, then of the keys: the kernel's order is that of a hash. */
export const sortedElements = (elements: readonly CountedElement[]): readonly CountedElement[] =>
  [...elements].sort(
    (a, b) => COUNTING_SETS.indexOf(a.set) - COUNTING_SETS.indexOf(b.set) || (a.key < b.key ? -1 : 1),
  );
