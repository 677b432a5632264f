import { macFromBytes, type MacAddress } from '@pp/wire';

/** First five bytes of the addresses that are the same on every host (ARCVM's and plugin VMs' TAPs). */
const STABLE_PREFIX = '42:37:05:13:17:';
/** Draws before giving up: a source that repeats itself that often is broken. */
const DRAWS_MAX = 64;

/** The address of this number on every host, 1 to 255. ARCVM: arc0 is 1, then its uplink devices; a plugin VM: its subnet's index. */
export function stableMac(index: number): MacAddress {
  if (!Number.isInteger(index) || index < 1 || index > 255)
    throw new RangeError(`no stable MAC address has number ${index}`);
  return `${STABLE_PREFIX}${index.toString(16).padStart(2, '0')}` as MacAddress;
}

/** Six random bytes, which it takes, as a locally administered unicast address (IEEE 802-2014 §8.4). */
export function randomMac(bytes: Uint8Array): MacAddress {
  bytes[0] = ((bytes[0] ?? 0) | 0x02) & 0xfe;
  return macFromBytes(bytes);
}

/** A random address that is neither taken nor a stable one. `draw` gives six random bytes. */
export function freshMac(draw: () => Uint8Array, isTaken: (mac: string) => boolean): MacAddress {
  for (let draws = 0; draws < DRAWS_MAX; draws++) {
    const mac = randomMac(draw());
    if (!isTaken(mac) && !mac.startsWith(STABLE_PREFIX)) return mac;
  }
  throw new Error(`${DRAWS_MAX} random MAC addresses in a row were taken`);
}
