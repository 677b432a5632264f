import { MemoryLog, SeededRandom } from '@pp/base/testing';
import { FakeHostRoutes } from '@pp/ports/testing';
import { ip } from './core/testing/scene';
import { RouteSync, type Way } from './route-sync';

const WAYS: readonly Way[] = [
  { ifindex: 2, source: '2001:db8::a' },
  { ifindex: 2, source: null },
  { ifindex: 3, source: '2001:db8::a' },
];
const [WAY, , OTHER_WAY] = WAYS as readonly [Way, Way, Way];
const text = (n: number): string => `2001:db8::${n.toString(16)}`;

test('wishes of one turn that come to nothing change nothing', async () => {
  const kernel = new FakeHostRoutes();
  const routes = new RouteSync(kernel, new MemoryLog());
  routes.wish(ip(text(1)), WAY);
  routes.wish(ip(text(2)), WAY);
  routes.wish(ip(text(1)), null);
  await routes.settled();
  expect(kernel.text).toEqual(['2001:db8::2 dev #2 src 2001:db8::a']);
  expect(['1/128', '2/128', '3/128'].map((end) => routes.isInstalled(`2001:db8::${end}`))).toEqual([
    false,
    true,
    false,
  ]);
});

test('what an earlier process left stays until it is wished away, but for what is wished already', async () => {
  const [kept, wished] = [
    { address: text(1), ...WAY },
    { address: text(2), ...WAY },
  ];
  const kernel = new FakeHostRoutes([kept, wished]);
  const routes = new RouteSync(kernel, new MemoryLog());
  routes.wish(ip(text(2)), OTHER_WAY);
  await routes.settled();
  expect(await routes.adopt()).toEqual([kept]);
  routes.wish(ip(text(1)), null);
  await routes.settled();
  expect(kernel.text).toEqual(['2001:db8::2 dev #3 src 2001:db8::a']);
});

test('a route that the kernel refuses is not there, is counted, and is asked for again when it is wished anew', async () => {
  const kernel = new FakeHostRoutes();
  kernel.gone.add(2);
  const routes = new RouteSync(kernel, new MemoryLog());
  routes.wish(ip(text(1)), WAY);
  await routes.settled();
  expect([[...routes.installed], routes.failures]).toEqual([[], 1]);
  routes.wish(ip(text(1)), OTHER_WAY);
  await routes.settled();
  expect([...routes.installed]).toEqual([{ address: text(1), ...OTHER_WAY }]);
});

/** Wishes at random, each in a turn of its own or not, and others that take routes away. */
async function wander(
  routes: RouteSync,
  kernel: FakeHostRoutes,
  wished: Map<string, Way>,
  random: SeededRandom,
): Promise<void> {
  const address = text(1 + random.below(40));
  const way = random.below(3) === 0 ? null : random.pick(WAYS);
  const dice = random.below(20);
  if (dice === 0) await routes.settled();
  else if (dice === 1) await Promise.resolve();
  else if (dice === 2) kernel.take(address);
  else {
    routes.wish(ip(address), way);
    if (way === null) wished.delete(address);
    else wished.set(address, way);
  }
}

test.each([1, 2, 3])('whatever comes, the kernel has in the end what is wished (seed %d)', async (seed) => {
  const random = new SeededRandom(seed);
  const kernel = new FakeHostRoutes();
  const routes = new RouteSync(kernel, new MemoryLog(), seed);
  const wished = new Map<string, Way>();
  for (let round = 0; round < 50; round++) {
    for (let step = 0; step < 30; step++) await wander(routes, kernel, wished, random);
    await routes.restore();
    await routes.settled();
    const want = new FakeHostRoutes([...wished].map(([address, way]) => ({ address, ...way })));
    expect(kernel.text).toEqual(want.text);
    expect(new FakeHostRoutes([...routes.installed]).text).toEqual(want.text);
  }
  await routes.close();
  expect(kernel.text).toEqual([]);
});
