import { vm, worldOf } from '../testing/worlds';
import { deviceChange, devicesRemoved } from './devices';
import type { World } from './world';

const world = (...taps: readonly string[]): World =>
  worldOf(
    [],
    taps.map((tap) => ({ ...vm('termina', tap), id: tap })),
  );

test('what goes of the devices is what a change takes away', () => {
  const [none, one, two] = [world(), world('vmtap0'), world('vmtap0', 'vmtap1')];
  for (const [from, to] of [
    [none, one],
    [one, two],
    [two, one],
    [one, none],
    [two, none],
    [one, one],
  ] as const)
    expect(devicesRemoved(from, to)).toEqual(deviceChange(from, to).removed);
  expect(devicesRemoved(one, none).map(({ ifname }) => ifname)).toEqual(['vmtap0']);
});
