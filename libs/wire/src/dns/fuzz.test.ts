import { SeededRandom } from '@pp/base/testing';
import { decode, encode, type Packet } from 'dns-packet';
import { DnsType } from './constants';
import { nameAt, nameText, type WireName } from './name';
import { reencode } from './reencode';
import { DnsScan } from './scan';

/** BOUNDED for CI: some two seconds. */
const ROUNDS = 30_000;

const SEEDS: readonly Packet[] = [
  {
    type: 'query',
    questions: [
      { type: 'PTR', name: '_ipp._tcp.local', class: 'IN' },
      { type: 'SRV', name: 'one._ipp._tcp.local', class: 'IN' },
    ],
    answers: [{ type: 'PTR', name: '_ipp._tcp.local', ttl: 9, data: 'one._ipp._tcp.local' }],
    authorities: [{ type: 'A', name: 'host.local', ttl: 120, data: '192.0.2.1' }],
  },
  {
    type: 'response',
    answers: [
      { type: 'PTR', name: '_ipp._tcp.local', ttl: 9, data: 'one._ipp._tcp.local' },
      { type: 'SRV', name: 'one._ipp._tcp.local', ttl: 9, data: { port: 631, target: 'host.local' } },
      { type: 'MX', name: 'local', ttl: 9, data: { preference: 1, exchange: 'host.local' } },
    ],
    additionals: [
      { type: 'NSEC', name: 'host.local', ttl: 9, data: { nextDomain: 'host.local', rrtypes: ['A'] } },
      { type: 'AAAA', name: 'host.local', ttl: 9, data: '2001:db8::1' },
    ],
  },
];

/** Bytes changed, cut, doubled: near enough to a message to get deep into the reader. */
function mutated(random: SeededRandom, seed: Uint8Array): Uint8Array {
  let bytes = [...seed];
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(bytes.length);
    switch (random.below(5)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] = 0xc0 | random.below(2);
        break;
      case 2:
        bytes[4 + 2 * random.below(4) + 1] = random.below(6);
        break;
      case 3:
        bytes = bytes.slice(0, Math.max(1, at));
        break;
      case 4:
        bytes = [...bytes, ...bytes.slice(at, at + random.below(40))];
        break;
    }
  }
  return Uint8Array.from(bytes);
}

/** A message in words, by our own reader. */
function told(scan: DnsScan): readonly string[] {
  return Array.from({ length: scan.entries }, (_, i) => {
    const name = nameText(nameAt(scan.bytes, scan.name(i)));
    return `${name} ${scan.type(i)} ${scan.u16(scan.classAt(i))} ${i < scan.questions ? '' : `${scan.section(i)} ${scan.ttlSec(i)}`}`;
  });
}

const TYPES: ReadonlyMap<string, number> = new Map(Object.entries(DnsType));

/**
 * Names by dns-packet, or null where it does not take the message. It reads data past its end (of NAPTR, of a map of types), and takes what
 * comes then for other records than those that are there: they have other types, and nothing is to be learned from it.
 */
function namesByOracle(bytes: Uint8Array, scan: DnsScan): readonly string[] | null {
  try {
    const { questions = [], answers = [], authorities = [], additionals = [] } = decode(Buffer.from(bytes));
    const all = [...questions, ...answers, ...authorities, ...additionals];
    return all.every(({ type }, i) => TYPES.get(type) === scan.type(i)) ? all.map(({ name }) => name) : null;
  } catch {
    return null; // it throws what it finds: RangeError, Error, TypeError
  }
}

const identity = { keep: () => true, rename: (name: WireName) => name };

test(`mutated messages, seed 6762, ${ROUNDS} rounds`, () => {
  const random = new SeededRandom(6762);
  const seeds = SEEDS.map((packet) => new Uint8Array(encode(packet)));
  const [scan, again] = [new DnsScan(), new DnsScan()];
  const seen = { taken: 0, refused: 0, compared: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutated(random, random.pick(seeds));
    if (scan.read(bytes) !== null) {
      seen.refused++;
      continue;
    }
    seen.taken++;
    const written = reencode(scan, identity);
    expect({ round, fault: again.read(written) }).toEqual({ round, fault: null });
    expect({ round, told: told(again) }).toEqual({ round, told: told(scan) });
    const [before, after] = [namesByOracle(bytes, scan), namesByOracle(written, again)];
    if (before === null || after === null) continue; // it also looks for names in data that is opaque to us
    seen.compared++;
    expect({ round, names: after }).toEqual({ round, names: before });
    const ours = Array.from({ length: scan.entries }, (_, i) => nameText(nameAt(bytes, scan.name(i))));
    expect({ round, names: ours.map((name) => name.replaceAll(/\\([.\\])/g, '$1')) }).toEqual({
      round,
      names: before,
    });
  }
  // The fuzzer reaches both sides.
  expect(Math.min(seen.taken, seen.refused, seen.compared)).toBeGreaterThan(ROUNDS / 50);
});

test(`noise is never a message that harms, seed 6763`, () => {
  const random = new SeededRandom(6763);
  const scan = new DnsScan();
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
    if (scan.read(bytes) === null)
      expect(reencode(scan, identity).length).toBeLessThanOrEqual(bytes.length + 255);
  }
});
