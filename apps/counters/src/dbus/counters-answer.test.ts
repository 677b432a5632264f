import { decodeStrict } from '@pp/proto';
import { ALL, TrafficTable } from '../core/traffic-table';
import { CountersAnswer } from './counters-answer';

const told = (bytes: Uint8Array): readonly string[] => {
  const decoded = decodeStrict('TrafficCountersResponse', bytes);
  if (!decoded.ok) throw new Error(decoded.sentence);
  return decoded.value.counters.map(({ device, source, ipFamily, rxBytes, txBytes, rxPackets, txPackets }) =>
    [device, source, ipFamily, rxBytes, txBytes, rxPackets, txPackets].join(' '),
  );
};

test('a walk: rows come and grow; each answer is as one who never answered before gives it', () => {
  const seed = 20261121;
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  const totals = new TrafficTable();
  const answer = new CountersAnswer();
  const seen = new Set<number>();
  for (let step = 0; step < 400; step++) {
    const grown = random(4) === 0 ? 0 : random(3);
    for (let n = 0; n < grown; n++) {
      const key = { guest: random(4) === 0 ? 'termina/5' : ALL, uplink: `eth${random(5)}` };
      const family = random(2) === 0 ? 4 : 6;
      const direction = random(2) === 0 ? 'rx' : 'tx';
      totals.add({ ...key, source: random(9), family }, direction, BigInt(random(1 << 16)) << 24n, 1n);
    }
    const devices = new Set(random(3) === 0 ? [`eth${random(6)}`, 'gone'] : []);
    const now = told(answer.of(totals, devices));
    expect({ seed, step, now }).toEqual({ seed, step, now: told(new CountersAnswer().of(totals, devices)) });
    seen.add(now.length);
  }
  expect(seen.size).toBeGreaterThan(5);
});

test('the same bytes, as long as nothing has changed', () => {
  const totals = new TrafficTable();
  const answer = new CountersAnswer();
  const none = new Set<string>();
  const key = { guest: ALL, uplink: 'eth0', source: 1, family: 4 } as const;
  expect(answer.of(totals, none)).toEqual(new Uint8Array());
  totals.add(key, 'rx', 1n, 1n);
  const first = answer.of(totals, none);
  expect(answer.of(totals, none)).toBe(first);
  totals.add(key, 'rx', 1n, 1n);
  expect(told(answer.of(totals, none))).toEqual(['eth0 1 1 2 0 2 0']);
});
