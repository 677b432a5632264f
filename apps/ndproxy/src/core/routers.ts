import { BoundedMap, type Millis } from '@pp/base';
import {
  decodePrefixInformation,
  isLinkLocal,
  NdOptionType,
  RaFlag,
  type NdMessage,
  type PrefixInformation,
} from '@pp/wire';
import { addressKey, type AddressKey } from './keys';
import type { NdPacket } from './packet';
import { hasPrefix, type Prefix } from './policy';

/** A router of the upstream, by its last advertisement. */
export interface KnownRouter {
  readonly address: Uint8Array;
  readonly heardAt: Millis;
  /** Not a default router after this. */
  readonly until: number;
  /** RFC 4191 §2.1: 1 high, 0 medium, -1 low. */
  readonly preference: number;
  /** Its advertisement as it came; a copy. */
  readonly frame: Uint8Array;
}

/** A prefix that an upstream router announces. */
export interface KnownPrefix extends Prefix {
  readonly until: number;
}

const MAX_PREFIXES = 32;
/** By their two bits; 10 is reserved and means medium. */
const PREFERENCES = [0, 1, 0, -1] as const;

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
  learn({ frame, source, message }: NdPacket, now: Millis): readonly KnownPrefix[] {
    if (message.kind !== 'router-advert') return [];
    const { lifetimeSec, flags } = message;
    this.lastAdvertAt = now;
    this.#routers.set(addressKey(source), {
      address: source.slice(),
      heardAt: now,
      until: now + lifetimeSec * 1000,
      preference: PREFERENCES[(flags & RaFlag.preference) >>> 3] ?? 0,
      frame: frame.slice(),
    });
    return prefixesIn(message).flatMap((prefix) => this.#learnPrefix(prefix, now) ?? []);
  }

  /** Whether prefixes are announced that have nothing in common with those from before: by a router of another network. */
  isElsewhere({ message }: NdPacket, now: Millis): boolean {
    const before = this.prefixes(now);
    const announced = prefixesIn(message);
    return (
      announced.length > 0 &&
      !announced.some(({ prefix }) => before.some((known) => hasPrefix(prefix, known)))
    );
  }

  /** Whether it is a default router now, RFC 4861 §8.1. */
  isCurrent(address: Uint8Array, now: Millis): boolean {
    const router = this.#routers.get(addressKey(address));
    return router !== undefined && now < router.until;
  }

  /** The way out: of the current default routers the most preferred, the last heard of these. */
  best(now: Millis): KnownRouter | undefined {
    const current = this.all().filter(({ until }) => now < until);
    return current.sort((a, b) => b.preference - a.preference || b.heardAt - a.heardAt)[0];
  }

  /** Whether nodes of the link have such addresses: of an announced prefix, or link-local. Without a router all are neighbours. */
  isOnLink(address: Uint8Array, now: Millis): boolean {
    if (isLinkLocal(address)) return true;
    let isAlone = true;
    for (const [, prefix] of this.#prefixes.entries()) {
      if (now >= prefix.until) continue;
      if (hasPrefix(address, prefix)) return true;
      isAlone = false;
    }
    return isAlone && this.best(now) === undefined;
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

  forgetPrefixes(): void {
    for (const [key] of [...this.#prefixes.entries()]) this.#prefixes.delete(key);
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

/** Those that reach beyond the link. */
const prefixesIn = ({ options }: NdMessage): readonly PrefixInformation[] =>
  options.flatMap((option) => {
    const pio = option.type === NdOptionType.prefixInformation ? decodePrefixInformation(option) : null;
    return pio?.ok === true && !isLinkLocal(pio.value.prefix) ? [pio.value] : [];
  });
