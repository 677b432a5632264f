import { labelsOf, nameFromLabels, type WireName } from '@pp/wire';

/** RFC 1035 §3.5, RFC 3596 §2.5: "4.3.2.1.in-addr.arpa" for 1.2.3.4, nibbles under ip6.arpa for IPv6. */
export function reverseName(address: Uint8Array): WireName {
  const labels =
    address.length === 4
      ? [...[...address].reverse().map(String), 'in-addr', 'arpa']
      : [...[...address].reverse().flatMap((byte) => [hex(byte & 15), hex(byte >> 4)]), 'ip6', 'arpa'];
  const name = nameFromLabels(labels);
  if (name === null) throw new Error('a reverse name is always a name');
  return name;
}

const hex = (nibble: number): string => nibble.toString(16);

/** The address that a reverse name is of; null for all other names. */
export function addressOfReverse(name: WireName): Uint8Array | null {
  const labels = labelsOf(name).map((label) => String.fromCharCode(...label).toLowerCase());
  const [zone, arpa] = labels.slice(-2);
  if (arpa !== 'arpa') return null;
  const digits = labels.slice(0, -2).reverse();
  if (zone === 'in-addr' && digits.length === 4) return numbers(digits, /^(0|[1-9]\d{0,2})$/, 10, 255);
  if (zone !== 'ip6' || digits.length !== 32) return null;
  const nibbles = numbers(digits, /^[0-9a-f]$/, 16, 15);
  return nibbles === null
    ? null
    : Uint8Array.from({ length: 16 }, (_, i) => ((nibbles[2 * i] ?? 0) << 4) | (nibbles[2 * i + 1] ?? 0));
}

function numbers(texts: readonly string[], form: RegExp, base: number, max: number): Uint8Array | null {
  const values = texts.map((text) => (form.test(text) ? Number.parseInt(text, base) : Infinity));
  return values.every((value) => value <= max) ? Uint8Array.from(values) : null;
}

/** Whether the name at `at` ends with "arpa", without making it. The message was checked. */
export function endsWithArpa(message: Uint8Array, at: number): boolean {
  let [place, last] = [at, -1];
  for (;;) {
    const byte = message[place] ?? 0;
    if (byte === 0) break;
    if (byte >= 0xc0) place = ((byte & 0x3f) << 8) | (message[place + 1] ?? 0);
    else {
      last = place;
      place += byte + 1;
    }
  }
  return (
    last >= 0 &&
    message[last] === 4 &&
    ARPA.every((letter, i) => ((message[last + 1 + i] ?? 0) | 32) === letter)
  );
}

const ARPA = [0x61, 0x72, 0x70, 0x61];
