import { BoundedMap, TokenBucket, type Millis } from '@pp/base';
import { addressKey, type AddressKey } from './keys';
import type { Limits } from './limits';
import type { Sighting } from './location-table';

/**
 * Nodes that went to another segment, and where from. Who merely checks the address there for duplicates may be somebody else, and has not
 * moved before it uses it. BOUNDED: the oldest leaves first.
 */
export class Leavers {
  readonly #leftFrom: BoundedMap<AddressKey, number>;
  readonly #announcements: TokenBucket;

  constructor({ suspects, solicitsPerSecond }: Limits, now: Millis) {
    this.#leftFrom = new BoundedMap(suspects, () => undefined);
    this.#announcements = new TokenBucket(solicitsPerSecond, now);
  }

  /** `before`, `after`: where the node was, and is by what was just heard. The segment to tell that it has left, or null. */
  heard(
    { address, certainty }: Pick<Sighting, 'address' | 'certainty'>,
    before: number | undefined,
    after: number | undefined,
    now: Millis,
  ): number | null {
    const key = addressKey(address);
    const hasMoved = before !== undefined && after !== undefined && before !== after;
    const from = hasMoved ? before : this.#leftFrom.get(key);
    if (from === undefined) return null;
    if (certainty === 'tentative') {
      if (hasMoved) this.#leftFrom.set(key, from);
      return null;
    }
    this.#leftFrom.delete(key);
    return from !== after && this.#announcements.take(now) ? from : null;
  }
}
