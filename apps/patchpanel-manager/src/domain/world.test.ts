import { SharedMap } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import { nextWorld } from '../testing/random-worlds';
import { uplink, vm, worldOf } from '../testing/worlds';
import { deviceChange } from './devices';
import { forwardedPortsOf } from './forwarded-ports';
import { forwardingChange } from './forwarding';
import { takesAway, tapsFor, withGuest, withoutGuests, withPortRule } from './world';

const LOCK = { rule: { type: 'lockdown', protocol: 'tcp', port: 9 }, owner: 0 } as const;
const one = worldOf([], [vm('termina', 'vmtap0')]);

test.each([
  { name: 'a guest comes', to: withGuest(one, vm('plugin', 'vmtap1')), want: false },
  { name: 'a guest goes', to: withoutGuests(one, ['termina/5']), want: true },
  { name: 'a guest is another one', to: withGuest(one, vm('termina', 'vmtap7')), want: true },
  { name: 'a port rule comes', to: withPortRule(one, LOCK), want: false },
  { name: 'a port rule goes', from: withPortRule(one, LOCK), to: one, want: true },
  { name: 'another uplink', to: { ...one, uplinks: [uplink('eth0', 'ethernet', 100)] }, want: true },
  { name: 'nothing', to: one, want: false },
])('takesAway: $name', ({ from = one, to, want }) => {
  expect(takesAway(from, to)).toBe(want);
});

test.each([
  { name: 'the lowest free ones', taps: [0, 1, 3], foreign: [], want: ['vmtap2', 'vmtap4'] },
  { name: 'none of others', taps: [0], foreign: ['vmtap1', 'vmtap4000000000'], want: ['vmtap2', 'vmtap3'] },
])('tapsFor: $name', ({ taps, foreign, want }) => {
  const vms = taps.map((n) => ({ ...vm('plugin', `vmtap${n}`), id: String(n) }));
  expect(tapsFor({ ...worldOf([], vms), foreignTaps: foreign }, 2)).toEqual(want);
});

test('a free TAP is found without a look at those that are taken', () => {
  const vms = Array.from({ length: 500 }, (_, n) => ({ ...vm('plugin', `vmtap${n}`), id: String(n) }));
  const crowded = worldOf([], vms);
  const looks = jest.spyOn(SharedMap.prototype, 'get');
  expect(tapsFor(crowded, 1)).toEqual(['vmtap500']);
  expect(looks).not.toHaveBeenCalled();
  looks.mockRestore();
});

test.each([1, 2])('seed %d: where nothing is taken away nothing that is told of goes', (seed) => {
  const random = new SeededRandom(seed);
  let from = worldOf([], []);
  let quiet = 0;
  for (let step = 0; step < 300; step++) {
    const to = nextWorld(from, random);
    if (!takesAway(from, to)) {
      quiet++;
      const ports = new Set(forwardedPortsOf(to).map((port) => JSON.stringify(port)));
      expect(deviceChange(from, to).removed).toEqual([]);
      expect(forwardingChange(from, to).removed).toEqual([]);
      expect(forwardedPortsOf(from).filter((port) => !ports.has(JSON.stringify(port)))).toEqual([]);
    }
    from = to;
  }
  expect(quiet).toBeGreaterThan(20);
});
