import { SeededRandom } from '@pp/base/testing';
import { millis, seconds } from '@pp/base';
import type { Ipv4Packet } from '@pp/wire';
import { LIMITS } from './limits';
import { Reassembler, type Reassembled } from './reassembler';

const WHOLE = Uint8Array.from({ length: 100 }, (_, i) => i);

const fragment = (from: number, to: number, over: Partial<Ipv4Packet> = {}): Ipv4Packet => ({
  tos: 0,
  id: 7,
  dontFragment: false,
  moreFragments: to < WHOLE.length,
  fragmentOffset: from,
  ttl: 64,
  protocol: 17,
  source: 1,
  destination: 2,
  options: new Uint8Array(0),
  payload: WHOLE.slice(from, to),
  ...over,
});

class Rig {
  readonly lost: string[] = [];
  readonly reassembler: Reassembler;
  constructor(limits: Partial<typeof LIMITS> = {}) {
    this.reassembler = new Reassembler({ ...LIMITS, ...limits }, (reason, frames) => {
      this.lost.push(`${reason} ${frames}`);
    });
  }
  add(packet: Ipv4Packet, now = 0): string {
    return textOf(this.reassembler.add(1, packet, millis(now)));
  }
}

const textOf = (done: Reassembled): string =>
  done.is === 'waiting'
    ? 'waiting'
    : done.is === 'whole'
      ? `whole of ${done.frames}: ${done.packet.payload.length}`
      : `${done.reason} ${done.frames}`;

const rows: readonly { name: string; in: readonly Ipv4Packet[]; want: readonly string[] }[] = [
  {
    name: 'in order',
    in: [fragment(0, 48), fragment(48, 96), fragment(96, 100)],
    want: ['waiting', 'waiting', 'whole of 3: 100'],
  },
  {
    name: 'backwards',
    in: [fragment(96, 100), fragment(48, 96), fragment(0, 48)],
    want: ['waiting', 'waiting', 'whole of 3: 100'],
  },
  {
    name: 'one twice',
    in: [fragment(0, 48), fragment(0, 48), fragment(48, 100)],
    want: ['waiting', 'fragment-duplicate 1', 'whole of 2: 100'],
  },
  {
    name: 'overlap with the one before',
    in: [fragment(0, 48), fragment(40, 96)],
    want: ['waiting', 'fragment-overlap 2'],
  },
  {
    name: 'overlap with the one behind',
    in: [fragment(48, 96), fragment(0, 56)],
    want: ['waiting', 'fragment-overlap 2'],
  },
  {
    name: 'beyond the end',
    in: [fragment(48, 100), fragment(104, 112, { payload: new Uint8Array(8), moreFragments: true })],
    want: ['waiting', 'fragment-overlap 2'],
  },
  {
    name: 'a second end',
    in: [fragment(48, 100), fragment(0, 48, { moreFragments: false })],
    want: ['waiting', 'fragment-overlap 2'],
  },
  {
    name: 'an end before what came',
    in: [fragment(48, 96), fragment(0, 48, { moreFragments: false })],
    want: ['waiting', 'fragment-overlap 2'],
  },
  { name: 'not a multiple of 8', in: [fragment(0, 47)], want: ['fragment-length 1'] },
  { name: 'empty', in: [fragment(0, 0)], want: ['fragment-length 1'] },
  {
    name: 'beyond 65,535 bytes',
    in: [fragment(0, 16, { fragmentOffset: 65_528, moreFragments: false })],
    want: ['fragment-length 1'],
  },
  {
    name: 'another id is another datagram',
    in: [fragment(0, 48), fragment(48, 100, { id: 8 })],
    want: ['waiting', 'waiting'],
  },
];

test.each(rows)('$name', ({ in: packets, want }) => {
  const rig = new Rig();
  expect(packets.map((packet) => rig.add(packet))).toEqual(want);
});

test('the payload is whole, and does not live in the frames', () => {
  const rig = new Rig();
  const parts = [fragment(48, 100), fragment(0, 48)];
  rig.reassembler.add(1, parts[0] ?? fragment(0, 0), millis(0));
  parts[0]?.payload.fill(0xff);
  const done = rig.reassembler.add(1, parts[1] ?? fragment(0, 0), millis(0));
  expect(done.is === 'whole' && done.packet.payload).toEqual(WHOLE);
});

test('what does not come in time is given up', () => {
  const rig = new Rig();
  expect(rig.reassembler.nextDue).toBe(Infinity);
  rig.add(fragment(0, 48));
  rig.add(fragment(0, 48, { id: 8 }), 1000);
  expect(rig.reassembler.nextDue).toBe(5000);
  rig.reassembler.expire(seconds(5));
  expect(rig.lost).toEqual(['fragment-timeout 1']);
  expect(rig.add(fragment(48, 100, { id: 8 }), 5000)).toBe('whole of 2: 100');
  expect(rig.reassembler.nextDue).toBe(Infinity);
});

test('one source drives out its own, all together the oldest', () => {
  const rig = new Rig({ reassemblies: 4, reassembliesPerSource: 2 });
  rig.add(fragment(0, 48, { source: 9 }));
  for (const id of [1, 2, 3]) rig.add(fragment(0, 48, { id }));
  expect(rig.lost).toEqual(['fragment-limit 1']);
  expect(rig.add(fragment(48, 100, { source: 9 }))).toBe('whole of 2: 100');
  for (const source of [2, 3, 4]) rig.add(fragment(0, 48, { source }));
  expect(rig.lost).toEqual(['fragment-limit 1', 'fragment-limit 1']);
});

test('bytes and fragments are bounded', () => {
  const bytes = new Rig({ reassemblyBytes: 80 });
  expect([fragment(0, 48), fragment(48, 96)].map((packet) => bytes.add(packet))).toEqual([
    'waiting',
    'fragment-limit 2',
  ]);
  expect([fragment(0, 48), fragment(48, 80, { id: 8 })].map((packet) => bytes.add(packet))).toEqual([
    'waiting',
    'waiting', // the refused ones have left their room
  ]);
  const many = new Rig({ fragments: 2 });
  expect([fragment(0, 8), fragment(8, 16), fragment(16, 24)].map((packet) => many.add(packet))).toEqual([
    'waiting',
    'waiting',
    'fragment-limit 3',
  ]);
});

test('a walk: every fragment is settled once', () => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  const random = new SeededRandom(seed);
  let settled = 0;
  const reassembler = new Reassembler(
    { ...LIMITS, reassemblies: 8, reassembliesPerSource: 3 },
    (_, frames) => {
      settled += frames;
    },
  );
  const steps = 5000;
  for (let now = 0; now < steps; now++) {
    const from = 8 * random.below(12);
    const to = Math.min(100, from + 8 * (1 + random.below(6)));
    const packet = fragment(from, to, { id: random.below(3), source: random.below(4) });
    const done = reassembler.add(1, packet, millis(now));
    if (done.is !== 'waiting') settled += done.frames;
    if (random.below(50) === 0) reassembler.expire(millis(now));
  }
  reassembler.expire(millis(steps + LIMITS.reassemblyTime));
  expect({ seed, settled }).toEqual({ seed, settled: steps });
});
