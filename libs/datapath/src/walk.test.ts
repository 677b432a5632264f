import { SeededRandom } from '@pp/base/testing';
import { applyAll, applyMost } from './apply';
import { NOTHING, type Desired } from './desired';
import { plan } from './plan';
import { repair } from './repair';
import { FakeKernel } from './testing/fake-kernel';
import { neighbourOf, RANDOM_HOST, randomDesired } from './testing/random-desired';
import { wantDump } from './testing/want-dump';

const ORIGINALS = RANDOM_HOST.sysctls;
const STATES = 40;
const SEEDS = Array.from({ length: 10 }, (_, i) => 1000 + i);
const CODES = ['ENOMEM', 'EBUSY', 'EEXIST', 'EPERM'] as const;

const dumpOf = (desired: Desired): string => wantDump(desired, RANDOM_HOST.sysctls);

function states(random: SeededRandom, fixed: boolean): readonly Desired[] {
  const fresh = Array.from({ length: STATES / 2 }, () => randomDesired(random, { fixed }));
  return [NOTHING, ...fresh, ...fresh.map((state) => neighbourOf(state, random))];
}

const hosts = SEEDS.map((seed) => ({
  seed,
  afterRefusal: seed % 2 === 0 ? ('skip' as const) : ('go on' as const),
}));

test.each(hosts)('a walk from state to state, seed $seed', async ({ seed, afterRefusal }) => {
  const random = new SeededRandom(seed);
  const all = states(random, false);
  const kernel = new FakeKernel({ ...RANDOM_HOST, afterRefusal });
  let now = NOTHING;
  for (let step = 0; step < 5 * all.length; step++) {
    const next = random.pick(all);
    await applyAll(kernel, plan(now, next, ORIGINALS));
    expect(kernel.dump()).toBe(dumpOf(next));
    now = next;
  }
});

test.each(hosts)('a walk with faults: all or nothing, seed $seed', async ({ seed, afterRefusal }) => {
  const random = new SeededRandom(seed);
  const all = states(random, false);
  const kernel = new FakeKernel({ ...RANDOM_HOST, afterRefusal });
  let now = NOTHING;
  let faults = 0;
  for (let step = 0; step < 5 * all.length; step++) {
    const next = random.pick(all);
    const ops = plan(now, next, ORIGINALS);
    if (ops.length > 0) {
      const code = random.pick(CODES);
      kernel.failAt(1 + random.below(ops.length), code);
      await expect(applyAll(kernel, ops)).rejects.toMatchObject({ cause: { code } });
      expect(kernel.dump()).toBe(dumpOf(now));
      faults++;
    }
    await applyAll(kernel, ops);
    now = next;
    expect(kernel.dump()).toBe(dumpOf(now));
  }
  expect(faults).toBeGreaterThan(all.length);
});

test.each(hosts)('repair from wherever a run was killed, seed $seed', async ({ seed }) => {
  const random = new SeededRandom(seed);
  const all = states(random, true);
  for (let step = 0; step < all.length; step++) {
    const [before, meant, want] = [random.pick(all), random.pick(all), random.pick(all)];
    const kernel = new FakeKernel(RANDOM_HOST);
    await applyAll(kernel, plan(NOTHING, before, ORIGINALS));
    const ops = plan(before, meant, ORIGINALS);
    await kernel.apply(ops.slice(0, random.below(ops.length + 1)));
    await repairTo(kernel, want, [before, meant]);
    expect(kernel.dump()).toBe(dumpOf(want));
    await repairTo(kernel, want, [want]);
    expect(kernel.dump()).toBe(dumpOf(want));
  }
});

async function repairTo(kernel: FakeKernel, want: Desired, former: readonly Desired[]): Promise<void> {
  const names = [want, ...former].flatMap(({ parts }) => [...parts.values()].flatMap(({ netns }) => netns));
  const written = new Map(former.flatMap(({ sysctls }) => [...sysctls]));
  const observed = await kernel.observe({
    netns: [...new Set(names.map(({ name }) => name))],
    sysctls: [...ORIGINALS.keys(), ...want.sysctls.keys()],
  });
  await applyMost(kernel, repair({ observed, want, originals: ORIGINALS, written }));
}
