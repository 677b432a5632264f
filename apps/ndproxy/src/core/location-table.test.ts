import { millis, seconds, type Millis } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import { ipv6FromBytes } from '@pp/wire';
import { LIMITS, type Limits } from './limits';
import { LocationTable, type Move, type Place, type Sighting } from './location-table';
import { DOWN, ip, UP } from './testing/scene';

type Certainty = Place['certainty'];

const sighting = (
  n: number,
  ifindex: number,
  certainty: Certainty,
  behind = n,
  override = true,
): Sighting => ({
  address: ip(`2001:db8::${n.toString(16)}`),
  ifindex,
  mac: Uint8Array.of(2, 0, 0, 0, behind >> 8, behind),
  certainty,
  override,
});

const tableOf = (limits: Partial<Limits>, onMove: (move: Move) => void = () => undefined): LocationTable =>
  new LocationTable({ ...LIMITS, ...limits }, onMove, 1);

/** The last numbers of their addresses. */
const nodesOf = (table: LocationTable): readonly (number | undefined)[] =>
  [...table.entries()].map(({ address }) => address[15]).sort();

test('holds so many neighbours of an interface; those that only asked leave first', () => {
  const table = tableOf({ neighborsPerInterface: 3 });
  table.learn(sighting(1, UP, 'advertised'), millis(0));
  for (const n of [2, 3, 4, 5]) table.learn(sighting(n, UP, 'used'), seconds(n * 10));
  table.learn(sighting(6, DOWN, 'used'), seconds(60));
  expect(nodesOf(table)).toEqual([1, 4, 5, 6]);
});

test('holds so many behind one Ethernet address', () => {
  const table = tableOf({ neighborsPerMac: 2 });
  table.learn(sighting(1, UP, 'advertised', 7), millis(0));
  for (const n of [2, 3, 4]) table.learn(sighting(n, UP, 'used', 7), seconds(n * 10));
  table.learn(sighting(5, UP, 'used', 8), seconds(50));
  expect(nodesOf(table)).toEqual([1, 4, 5]);
});

test('who was just heard keeps its place, but for one who is surer', () => {
  const table = tableOf({ neighborsPerInterface: 2 });
  for (const n of [1, 2, 3]) table.learn(sighting(n, UP, 'used'), millis(n));
  expect(nodesOf(table)).toEqual([1, 2]);
  table.learn(sighting(4, UP, 'advertised'), millis(4));
  expect(nodesOf(table)).toEqual([2, 4]);
});

test('when all have answered, the oldest leaves', () => {
  const table = tableOf({ neighborsPerInterface: 2 });
  for (const n of [1, 2, 3]) table.learn(sighting(n, UP, 'advertised'), seconds(n * 10));
  expect(nodesOf(table)).toEqual([2, 3]);
});

test('a node whose new Ethernet address has no room for it is lost, and told so', () => {
  const moves: string[] = [];
  const table = tableOf({ neighborsPerMac: 1 }, ({ to, address }) =>
    moves.push(`${to} ${address[15] ?? ''}`),
  );
  table.learn(sighting(1, UP, 'used', 7), millis(0));
  table.learn(sighting(2, UP, 'used', 8), millis(0));
  table.learn(sighting(2, UP, 'used', 7), millis(2000));
  expect([nodesOf(table), moves]).toEqual([[1], ['located 1', 'located 2', 'lost 2']]);
});

test('who is to be asked is told when the time has come', () => {
  const table = tableOf({ probeAfter: seconds(60), probeTentativeAfter: seconds(4) });
  table.learn(sighting(1, DOWN, 'used'), seconds(0));
  table.learn(sighting(2, DOWN, 'tentative'), seconds(0));
  const due = (at: number): readonly (number | undefined)[] =>
    table.due(seconds(at)).map(({ address }) => address[15]);
  expect([due(3), due(4), due(60)]).toEqual([[], [2], [1, 2]]);
  table.probed(ip('2001:db8::2'), seconds(61));
  expect([due(60), due(61)]).toEqual([[1], [1, 2]]);
  table.forget(ip('2001:db8::1'));
  expect(due(100)).toEqual([2]);
});

describe('a walk', () => {
  const bounds = { neighborsPerInterface: 12, neighborsPerMac: 5 };
  const CERTAINTIES = ['advertised', 'used', 'tentative'] as const;

  function someSighting(random: SeededRandom): Sighting {
    const seen = sighting(
      random.below(60),
      random.pick([UP, DOWN]),
      random.pick(CERTAINTIES),
      random.below(6),
      random.below(3) > 0,
    );
    return random.below(10) === 0 ? { ...seen, mac: null } : seen;
  }

  function step(table: LocationTable, random: SeededRandom, now: Millis): void {
    const seen = someSighting(random);
    const dice = random.below(40);
    if (dice === 0) table.forgetInterface(seen.ifindex);
    else if (dice < 4) table.forget(seen.address);
    else if (dice < 8) table.probed(seen.address, millis(now + 1000));
    else table.learn(seen, now);
  }

  /** How often the most frequent is there. */
  const most = (keys: readonly string[]): number =>
    Math.max(0, ...[...new Set(keys)].map((key) => keys.filter((each) => each === key).length));

  test.each([1, 2, 3])('moves tell where nodes are, and bounds hold (seed %d)', (seed) => {
    const random = new SeededRandom(seed);
    const places = new Map<string, number>();
    const table = tableOf(bounds, ({ to, address, ifindex }) => {
      const text = ipv6FromBytes(address);
      if (to === 'located') places.set(text, ifindex);
      else if (places.get(text) === ifindex) places.delete(text);
    });
    for (let round = 0, now = millis(0); round < 700; round++, now = millis(now + random.below(3000))) {
      step(table, random, now);
      const all = [...table.entries()];
      const known = all.filter(({ mac }) => mac !== null);
      expect({
        places: new Map(all.map(({ address, ifindex }) => [ipv6FromBytes(address), ifindex])),
        size: table.size,
        found: all.map(({ address }) => ({ address, ...table.get(address) })),
        isBounded:
          most(all.map(({ ifindex }) => `${ifindex}`)) <= bounds.neighborsPerInterface &&
          most(known.map(({ ifindex, mac }) => `${ifindex} ${mac?.join()}`)) <= bounds.neighborsPerMac,
      }).toEqual({ places, size: all.length, found: all, isBounded: true });
    }
  });
});
