import { SeededRandom } from '@pp/base/testing';
import type { Desired } from '@pp/datapath';
import { DesiredState } from './desired';
import { nextWorld } from './testing/random-worlds';
import { worldOf } from './testing/worlds';

test.each([
  { seed: 1, withoutIpv6: false },
  { seed: 2, withoutIpv6: false },
  { seed: 3, withoutIpv6: true },
])(
  'seed $seed: what follows from the world before is what follows from this one',
  ({ seed, withoutIpv6 }) => {
    const random = new SeededRandom(seed);
    const desired = new DesiredState();
    const worlds = [{ ...worldOf([], []), withoutIpv6 }];
    for (let step = 0; step < 300; step++) {
      // A change that the kernel refuses is given up: what comes next follows from a world of before.
      const from = random.below(4) === 0 ? random.pick(worlds) : (worlds.at(-1) ?? worldOf([], []));
      const to = nextWorld(from, random);
      expect(sorted(desired.of(to))).toEqual(sorted(new DesiredState().of(to)));
      worlds.push(to);
    }
  },
);

const sorted = ({ shape, sysctls, parts }: Desired): unknown => ({
  shape,
  sysctls,
  parts: [...parts].toSorted(([a], [b]) => (a < b ? -1 : 1)),
});
