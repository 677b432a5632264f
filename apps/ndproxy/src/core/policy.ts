import { isLinkLocal, isUnspecified } from '@pp/wire';
import { SOURCE_AT, TARGET_AT, type NdPacket } from './packet';

/** What router advertisements may pass without: M, O, resolvers, search domains. */
export const RA_PARTS = ['managed', 'other', 'rdnss', 'dnssl'] as const;
export type RaPart = (typeof RA_PARTS)[number];

/** The first `length` bits count. */
export interface Prefix {
  readonly prefix: Uint8Array;
  readonly length: number;
}

/** What an operator wants left out. */
export interface Policy {
  /** None: all are proxied. */
  readonly onlyPrefixes: readonly Prefix[];
  /** These are not, also where the others have them. */
  readonly notPrefixes: readonly Prefix[];
  /** Ethernet addresses (see macNumber) of stations that claim whatever address is checked. */
  readonly dadIgnore: ReadonlySet<number>;
  readonly raWithout: ReadonlySet<RaPart>;
}

export const NO_POLICY: Policy = {
  onlyPrefixes: [],
  notPrefixes: [],
  dadIgnore: new Set(),
  raWithout: new Set(),
};

/** Whether an address, or the one that begins at `at`, is proxied. A link-local one is: routers are reached by it. */
export function isProxied({ onlyPrefixes, notPrefixes }: Policy, bytes: Uint8Array, at = 0): boolean {
  if (onlyPrefixes.length + notPrefixes.length === 0 || isLinkLocal(bytes, at)) return true;
  const has = (prefix: Prefix): boolean => hasPrefix(bytes, prefix, at);
  return !notPrefixes.some(has) && (onlyPrefixes.length === 0 || onlyPrefixes.some(has));
}

/** Whether who has said it and whom it is about are proxied. Of routers' messages that is not the question. */
export function isAboutProxied(policy: Policy, { kind, frame }: NdPacket): boolean {
  if (kind !== 'neighbor-solicit' && kind !== 'neighbor-advert') return true;
  if (!isProxied(policy, frame, TARGET_AT)) return false;
  return isUnspecified(frame, SOURCE_AT) || isProxied(policy, frame, SOURCE_AT);
}

/** Whether a prefix may have nodes that are proxied. */
export function mayBeProxied({ onlyPrefixes, notPrefixes }: Policy, prefix: Prefix): boolean {
  if (notPrefixes.some((not) => not.length <= prefix.length && hasPrefix(prefix.prefix, not))) return false;
  return onlyPrefixes.length === 0 || onlyPrefixes.some((only) => overlap(only, prefix));
}

const overlap = (a: Prefix, b: Prefix): boolean =>
  a.length < b.length ? hasPrefix(b.prefix, a) : hasPrefix(a.prefix, b);

/** Of an address, or of the one that begins at `at`. */
export function hasPrefix(bytes: Uint8Array, { prefix, length }: Prefix, at = 0): boolean {
  for (let bit = 0; bit < length; bit += 8) {
    const mask = 0xff00 >> Math.min(8, length - bit);
    const i = bit >>> 3;
    if ((((bytes[at + i] ?? 0) ^ (prefix[i] ?? 0)) & mask & 0xff) !== 0) return false;
  }
  return true;
}
