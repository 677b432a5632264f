import { worldOf } from './testing/worlds';
import { ToldLater } from './told-later';

/** Worlds are told apart by their number of uplinks. */
const worlds = [0, 1, 2, 3].map((count) => ({ ...worldOf([], []), nextNamespace: count }));

function teller(): { told: string[]; later: ToldLater; turn: () => void } {
  const told: string[] = [];
  const tasks: (() => void)[] = [];
  const later = new ToldLater(
    {
      leaving: (from, to) => told.push(`leaving ${from.nextNamespace}-${to.nextNamespace}`),
      arrived: (from, to) => told.push(`arrived ${from.nextNamespace}-${to.nextNamespace}`),
    },
    (task) => tasks.push(task),
  );
  const turn = (): void => {
    for (const task of tasks.splice(0)) task();
  };
  return { told, later, turn };
}

const [zero, one, two, three] = worlds;
if (zero === undefined || one === undefined || two === undefined || three === undefined) throw new Error();

test('what goes is told at once, what came on the next turn', () => {
  const { told, later, turn } = teller();
  later.leaving(zero, one);
  later.arrived(zero, one);
  expect(told).toEqual(['leaving 0-1']);
  turn();
  expect(told).toEqual(['leaving 0-1', 'arrived 0-1']);
  turn();
  expect(told).toHaveLength(2);
});

test('the order of changes stays, also of those in one turn', () => {
  const { told, later, turn } = teller();
  for (const [from, to] of [[zero, one], [one, two], [two, three]] as const) { later.leaving(from, to); later.arrived(from, to); } // prettier-ignore
  turn();
  expect(told).toEqual([
    'leaving 0-1',
    'arrived 0-1',
    'leaving 1-2',
    'arrived 1-2',
    'leaving 2-3',
    'arrived 2-3',
  ]);
});

test('whoever asks hears of it first', () => {
  const { told, later, turn } = teller();
  later.arrived(zero, one);
  later.tellNow();
  expect(told).toEqual(['arrived 0-1']);
  later.arrived(one, two);
  turn();
  expect(told).toEqual(['arrived 0-1', 'arrived 1-2']);
});
