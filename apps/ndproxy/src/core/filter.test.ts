import { bpf, runBpf } from '@pp/wire';
import { CAPTURED } from '@pp/wire/testing';
import { BRIDGE_FILTER } from './bridge-filter';
import { ND_FILTER } from './filter';

const packetType = (n: number): ReadonlyMap<number, number> => new Map([[bpf.Ancillary.packetType, n]]);
const changed = (bytes: Readonly<Record<number, number>>): Uint8Array => {
  const frame = CAPTURED.neighborSolicit.slice();
  for (const [at, byte] of Object.entries(bytes)) frame[Number(at)] = byte;
  return frame;
};

test.each(Object.entries(CAPTURED))('%s passes', (_name, frame) => {
  expect(runBpf(ND_FILTER, frame, packetType(2))).toBeGreaterThan(frame.length);
});

test.each([
  { name: 'an echo request', frame: changed({ 54: 128 }), passes: false },
  { name: 'type 138', frame: changed({ 54: 138 }), passes: false },
  { name: 'UDP', frame: changed({ 20: 17 }), passes: false },
  { name: 'IPv4', frame: changed({ 12: 8, 13: 0 }), passes: false },
  { name: 'a solicitation in a fragment', frame: changed({ 20: 44, 54: 58, 62: 135 }), passes: true },
  { name: 'an echo request in a fragment', frame: changed({ 20: 44, 54: 58, 62: 128 }), passes: false },
  { name: 'UDP behind destination options', frame: changed({ 20: 60, 54: 17 }), passes: false },
  { name: 'a frame cut off in its header', frame: changed({}).subarray(0, 20), passes: false },
])('$name passes: $passes', ({ frame, passes }) => {
  expect(runBpf(ND_FILTER, frame, packetType(0)) > 0).toBe(passes);
});

// The socket of bridge mode hears IPv6 only, so that the type of the frame is not looked at.
test.each([
  ...Object.entries(CAPTURED).map(([name, frame]) => ({ name, frame, passes: false })),
  { name: 'an echo request', frame: changed({ 54: 128 }), passes: true },
  { name: 'type 138', frame: changed({ 54: 138 }), passes: true },
  { name: 'UDP', frame: changed({ 20: 17 }), passes: true },
  { name: 'a solicitation in a fragment', frame: changed({ 20: 44, 54: 58, 62: 135 }), passes: false },
  { name: 'a report of multicast listeners', frame: changed({ 20: 0, 54: 58, 62: 143 }), passes: true },
  { name: 'UDP behind destination options', frame: changed({ 20: 60, 54: 17 }), passes: true },
])('bridge mode: $name passes: $passes', ({ frame, passes }) => {
  expect(runBpf(BRIDGE_FILTER, frame, packetType(0)) > 0).toBe(passes);
});

test.each([3, 4])('bridge mode: nothing of packet type %d, to other stations or from this host', (type) => {
  expect(runBpf(BRIDGE_FILTER, changed({ 20: 17 }), packetType(type))).toBe(0);
});

test('frames for other stations do not pass, those that this host sends do', () => {
  expect(runBpf(ND_FILTER, CAPTURED.neighborSolicit, packetType(3))).toBe(0);
  expect(runBpf(ND_FILTER, CAPTURED.neighborSolicit, packetType(4))).toBeGreaterThan(0);
});
