import { addressBytes, type Segment } from './topology';

/** A prefix made ready for comparing bytes. */
interface Prefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Whether addresses (4 or 16 bytes) are of the link of a segment; link-local IPv6 always is. */
export class OnLink {
  readonly #prefixes: readonly Prefix[];

  constructor(segments: Iterable<Pick<Segment, 'prefixes'>>) {
    this.#prefixes = [...segments].flatMap(({ prefixes }) =>
      prefixes
        .filter(({ address }) => !/^fe[89ab]/.test(address))
        .map(({ address, length }) => ({ bytes: addressBytes(address), length })),
    );
  }

  /** Of one of the prefixes; link-local ones do not count. `at`: where the address is in `bytes`. */
  has(bytes: Uint8Array, at = 0, length = bytes.length): boolean {
    return this.#prefixes.some((prefix) => prefix.bytes.length === length && isWithin(prefix, bytes, at));
  }
}

function isWithin({ bytes, length }: Prefix, address: Uint8Array, at: number): boolean {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[at + i]) return false;
  const rest = length & 7;
  return rest === 0 || (((bytes[whole] ?? 0) ^ (address[at + whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0;
}

/** fe80::/10, 169.254.0.0/16. */
export const isLinkLocal = (bytes: Uint8Array, at: number, length: number): boolean =>
  length === 4
    ? bytes[at] === 169 && bytes[at + 1] === 254
    : bytes[at] === 0xfe && ((bytes[at + 1] ?? 0) & 0xc0) === 0x80;
