import { BoundedMap, type Millis } from '@pp/base';
import {
  decodePrefixInformation,
  isLinkLocal,
  NdOptionType,
  type PrefixInformation,
  type RouterAdvert,
} from '@pp/wire';
import { addressKey, type AddressKey } from './keys';
import type { NdPacket } from './packet';

/** A router of the upstream, by its last advertisement. */
export interface KnownRouter {
  readonly address: Uint8Array;
  readonly heardAt: Millis;
  /** Not a default router after this. */
  readonly until: number;
  /** Its advertisement as it came; a copy. */
  readonly frame: Uint8Array;
}

/** A prefix that an upstream router announces. */
export interface KnownPrefix {
  readonly prefix: Uint8Array;
  readonly length: number;
  readonly until: number;
}

const MAX_PREFIXES = 32;

/** Routers and prefixes of the upstream. BOUNDED: the oldest leaves first. */
export class Routers {
  readonly #routers: BoundedMap<AddressKey, KnownRouter>;
  readonly #prefixes = new BoundedMap<string, KnownPrefix>(MAX_PREFIXES, () => undefined);
  /** -Infinity: never. */
  lastAdvertAt = -Infinity;

  constructor(max: number) {
    this.#routers = new BoundedMap(max, () => undefined);
  }

  /** Returns the prefixes that were not announced before. */
  learn(frame: Uint8Array, { source }: NdPacket, advert: RouterAdvert, now: Millis): readonly KnownPrefix[] {
    this.lastAdvertAt = now;
    this.#routers.set(addressKey(source), {
      address: source.slice(),
      heardAt: now,
      until: now + advert.lifetimeSec * 1000,
      frame: frame.slice(),
    });
    return advert.options.flatMap((option) => {
      const pio = option.type === NdOptionType.prefixInformation ? decodePrefixInformation(option) : null;
      if (pio?.ok !== true || isLinkLocal(pio.value.prefix)) return [];
      return this.#learnPrefix(pio.value, now) ?? [];
    });
  }

  /** Whether it is a default router now, RFC 4861 §8.1. */
  isCurrent(address: Uint8Array, now: Millis): boolean {
    const router = this.#routers.get(addressKey(address));
    return router !== undefined && now < router.until;
  }

  all(): readonly KnownRouter[] {
    return [...this.#routers.entries()].map(([, router]) => router);
  }

  prefixes(now: Millis): readonly KnownPrefix[] {
    return [...this.#prefixes.entries()].map(([, prefix]) => prefix).filter(({ until }) => now < until);
  }

  /** The upstream is gone. What its routers announced of prefixes stays for as long as they said. */
  forgetRouters(): void {
    for (const { address } of this.all()) this.#routers.delete(addressKey(address));
    this.lastAdvertAt = -Infinity;
  }

  /** null: it was known. */
  #learnPrefix({ prefix, prefixLength, validSec }: PrefixInformation, now: Millis): KnownPrefix | null {
    const key = `${addressKey(prefix)}/${prefixLength}`;
    const isKnown = this.#prefixes.get(key) !== undefined;
    const known = { prefix: prefix.slice(), length: prefixLength, until: now + validSec * 1000 };
    this.#prefixes.set(key, known);
    return isKnown ? null : known;
  }
}
