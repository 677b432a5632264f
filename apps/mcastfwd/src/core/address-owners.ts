import { BoundedMap, type Millis } from '@pp/base';
import type { NameKey } from '@pp/wire';

/** BOUNDED: names that have addresses, and addresses of one name. */
const MAX_NAMES = 4096;
const MAX_ADDRESSES = 32;
/** What was announced is remembered this long after its TTL: as long as the TTL of records that name no host (RFC 6762 §10). */
const MEMORY_MS = 4_500_000;
/** After its TTL an owner has this long to speak up, counted from when somebody elsewhere first does. */
const SAY_MS = 5000;

interface Announced {
  readonly ifindex: number;
  /** Its bytes as text. */
  readonly address: string;
  /** The end of its TTL. */
  readonly until: number;
  /** When the name was first heard elsewhere after that. */
  doubtedAt: number | null;
}

/** Which addresses were announced for a host's name, and where. */
export class AddressOwners {
  readonly #names = new BoundedMap<NameKey, Announced[]>(MAX_NAMES, () => undefined);

  /** TTL 0 takes it back (RFC 6762 §10.1). */
  note(name: NameKey, ifindex: number, address: string, ttlSec: number, now: Millis): void {
    const all = this.#remembered(name, now);
    const others = all.filter((each) => each.ifindex !== ifindex || each.address !== address);
    if (ttlSec > 0) others.push({ ifindex, address, until: now + ttlSec * 1000, doubtedAt: null });
    if (others.length === 0) this.#names.delete(name);
    else this.#names.set(name, others.slice(-MAX_ADDRESSES));
  }

  /**
   * Whether a host on this link has the name itself; asked when the name is heard elsewhere. An address that was announced on another link
   * as well is no sign of it: somebody has passed it on. A host on both links answers on both, in no order: past the TTL of what it
   * said here, what it says there must not be the first to arrive.
   */
  isOwnedOn(name: NameKey, ifindex: number, now: Millis): boolean {
    const all = this.#remembered(name, now);
    return all.some(
      (own) =>
        own.ifindex === ifindex &&
        !all.some((each) => each.ifindex !== ifindex && each.address === own.address) &&
        holds(own, now),
    );
  }

  #remembered(name: NameKey, now: Millis): Announced[] {
    return this.#names.get(name)?.filter(({ until }) => until + MEMORY_MS > now) ?? [];
  }
}

function holds(own: Announced, now: Millis): boolean {
  if (now < own.until) return true;
  own.doubtedAt ??= now;
  return now - own.doubtedAt < SAY_MS;
}
