import type { SeededRandom } from '@pp/base/testing';
import { FIELDS, type MessageName } from '@pp/proto';

/*
 * Bodies that clients might send: messages of the right shape whose values are right, nearly right or absurd; messages of wrong shapes;
 * noise. Enough of them are accepted for the world to change.
 */

const TEXTS = [
  ...[
    '',
    'eth0',
    'eth1',
    'lo',
    'vmtap0',
    'arc_eth0',
    'arc_ns0',
    'wlan-0.1',
    '-eth0',
    'eth0 ',
    'a/b',
    'ü',
    '*',
  ],
  ...['x'.repeat(15), 'x'.repeat(16), '"; flush ruleset', '\u0000', '../etc', 'eth0\n', '%s', '__proto__'],
  ...[
    '100.115.92.26',
    '192.0.2.1',
    '8.8.8.8',
    '127.0.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '010.0.0.1',
    '1.2.3',
  ],
  ...['fd00::53', '2001:db8::1', 'fe80::1', '::1', '::', 'ff02::1', '::ffff:1.2.3.4', 'fe80::1%eth0'],
];
const NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  53,
  80,
  5353,
  4711,
  65535,
  65536,
  65616,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

export function randomBody(random: SeededRandom, name: MessageName): Uint8Array {
  const kind = random.below(20);
  if (kind === 0) return noise(random, random.below(40));
  const bytes = message(random, name, kind === 1 ? 'any shape' : 'its shape', 0);
  return Uint8Array.from(kind === 2 ? mutated(random, bytes) : bytes);
}

const noise = (random: SeededRandom, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.below(256));

/** A bit flipped, an end cut off, or something behind it. */
function mutated(random: SeededRandom, bytes: readonly number[]): readonly number[] {
  const at = random.below(bytes.length + 1);
  const choices = [
    bytes.map((byte, i) => (i === at ? byte ^ (1 << random.below(8)) : byte)),
    bytes.slice(0, at),
    [...bytes, ...noise(random, 1 + random.below(4))],
  ];
  return random.pick(choices);
}

function message(
  random: SeededRandom,
  name: MessageName,
  shape: 'its shape' | 'any shape',
  depth: number,
): readonly number[] {
  const bytes: number[] = [];
  for (const [number, { kind, repeated, of }] of Object.entries(FIELDS[name])) {
    const times = repeated ? random.below(4) : Number(random.below(5) > 0);
    for (let i = 0; i < times; i++) {
      const wanted = kind === 'message' || kind === 'string' || kind === 'bytes' ? 2 : 0;
      const wireType = shape === 'its shape' ? wanted : random.below(8);
      bytes.push(...varint(Number(number) * 8 + wireType));
      if (wireType !== 2) bytes.push(...varint(random.pick(NUMBERS)));
      else bytes.push(...withLength(content(random, kind, of, shape, depth)));
    }
  }
  return bytes;
}

function content(
  random: SeededRandom,
  kind: string,
  of: MessageName | undefined,
  shape: 'its shape' | 'any shape',
  depth: number,
): readonly number[] {
  if (kind === 'message' && of !== undefined && depth < 3) return message(random, of, shape, depth + 1);
  if (kind === 'bytes') return [...noise(random, random.pick([0, 4, 15, 16, 17]))];
  return utf8(random.pick(TEXTS));
}

const withLength = (bytes: readonly number[]): readonly number[] => [...varint(bytes.length), ...bytes];

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

const utf8 = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
