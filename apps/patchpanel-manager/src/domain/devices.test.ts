import { emptyWorld, type World } from './world';
import { deviceChange, devicesRemoved } from './devices';
import type { Guest } from './guest';

const vm = (tap: string): Guest => ({ kind: 'termina', tap }) as unknown as Guest;

const world = (...taps: readonly string[]): World => ({
  ...emptyWorld([] as never, null, 0),
  guests: new Map(taps.map((tap) => [`termina/${tap}`, vm(tap)])),
});

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
