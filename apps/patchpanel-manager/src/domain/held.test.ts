import { SeededRandom } from '@pp/base/testing';
import { nextWorld } from '../testing/random-worlds';
import { worldOf } from '../testing/worlds';
import { neighborsOf } from './guest';
import type { Held } from './held';
import { withAllGuests, type World } from './world';

test.each([1, 2, 3])('seed %d: what guests hold is what it is when it is counted anew', (seed) => {
  const random = new SeededRandom(seed);
  let world = worldOf([], []);
  let neighbors = 0;
  for (let step = 0; step < 300; step++) {
    world = nextWorld(world, random);
    expect(textOf(world.held)).toEqual(textOf(countedAnew(world)));
    neighbors = Math.max(neighbors, [...world.guests.values()].flatMap(neighborsOf).length);
  }
  expect(neighbors).toBeGreaterThan(2);
});

const countedAnew = (world: World): Held => withAllGuests(world, [...world.guests.values()]).held;

const textOf = ({ names, subnets, taps, tallies, ports, dns }: Held): unknown => ({
  names: [...names].map(String).toSorted(),
  subnets: [...Object.values(subnets), taps].map(({ words }) =>
    words.slice(0, words.findLastIndex((word) => word !== 0) + 1),
  ),
  ports: [...ports].map(String).toSorted(),
  dns: [...dns].map(String).toSorted(),
  tallies: [...tallies].map(String).toSorted(),
});
