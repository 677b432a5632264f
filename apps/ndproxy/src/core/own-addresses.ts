import { addressKey, type AddressKey } from './keys';

/** An address of this host. */
export interface OwnAddress {
  readonly ifindex: number;
  readonly address: Uint8Array;
  /** False while it is checked for duplicates: it may not be used as a source. */
  readonly usable: boolean;
}

/** The addresses of this host and the interfaces that have them. Asked for each address of each message: most answers are made from its last bytes. */
export class OwnAddresses {
  readonly #interfaces = new Map<AddressKey, Set<number>>(); // BOUNDED: by the host's addresses
  readonly #tails = new Set<number>();

  constructor(addresses: readonly OwnAddress[]) {
    for (const { address, ifindex } of addresses) {
      const key = addressKey(address);
      this.#interfaces.set(key, (this.#interfaces.get(key) ?? new Set()).add(ifindex));
      this.#tails.add(tailOf(address, 0));
    }
  }

  /** `at`: where the address begins. */
  has(bytes: Uint8Array, at = 0): boolean {
    return this.#tails.has(tailOf(bytes, at)) && this.#interfaces.has(addressKey(bytes, at));
  }

  hasOn(ifindex: number, bytes: Uint8Array, at = 0): boolean {
    return this.has(bytes, at) && this.#interfaces.get(addressKey(bytes, at))?.has(ifindex) === true;
  }
}

/** The last 24 bits. */
const tailOf = (bytes: Uint8Array, at: number): number =>
  ((bytes[at + 13] ?? 0) << 16) | ((bytes[at + 14] ?? 0) << 8) | (bytes[at + 15] ?? 0);
