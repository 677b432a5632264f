import { BoundedMap, type Millis } from '@pp/base';
import type { NameKey } from '@pp/wire';

/** BOUNDED: names that have addresses, and addresses of one name. */
const MAX_NAMES = 4096;
const MAX_ADDRESSES = 32;

interface Announced {
  readonly ifindex: number;
  /** Its bytes as text. */
  readonly address: string;
  until: number;
}

/** Which addresses were announced for a host's name, and where. */
export class AddressOwners {
  readonly #names = new BoundedMap<NameKey, Announced[]>(MAX_NAMES, () => undefined);

  /** TTL 0 takes it back (RFC 6762 §10.1). */
  note(name: NameKey, ifindex: number, address: string, ttlSec: number, now: Millis): void {
    const all = this.#names.get(name)?.filter(({ until }) => until > now) ?? [];
    const others = all.filter((each) => each.ifindex !== ifindex || each.address !== address);
    if (ttlSec > 0) others.push({ ifindex, address, until: now + ttlSec * 1000 });
    if (others.length === 0) this.#names.delete(name);
    else this.#names.set(name, others.slice(-MAX_ADDRESSES));
  }

  /**
   * Whether a host on this link has the name itself. An address that was announced on another link as well is no sign of it: somebody
   * has passed it on.
   */
  isOwnedOn(name: NameKey, ifindex: number, now: Millis): boolean {
    const all = this.#names.get(name)?.filter(({ until }) => until > now) ?? [];
    return all.some(
      (own) =>
        own.ifindex === ifindex &&
        !all.some((each) => each.ifindex !== ifindex && each.address === own.address),
    );
  }
}
