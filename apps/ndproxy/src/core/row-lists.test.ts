import { SeededRandom } from '@pp/base/testing';
import { NONE } from './address-rows';
import { emptyList, RowLinks, type RowList } from './row-lists';

function rowsOf(links: RowLinks, list: RowList): readonly number[] {
  const rows: number[] = [];
  for (let row = list.first; row !== NONE; row = links.after(row)) rows.push(row);
  expect([list.size, list.last]).toEqual([rows.length, rows.at(-1) ?? NONE]);
  return rows;
}

test('rows come and go in any order, as in arrays (seed 1)', () => {
  const random = new SeededRandom(1);
  const links = new RowLinks();
  const lists = Array.from({ length: 3 }, () => ({ list: emptyList(), want: [] as number[] }));
  for (let step = 0; step < 500; step++) {
    const row = random.below(60);
    const home = lists.find(({ want }) => want.includes(row));
    if (home !== undefined) {
      links.remove(home.list, row);
      home.want.splice(home.want.indexOf(row), 1);
    }
    if (random.below(4) > 0) {
      const { list, want } = random.pick(lists);
      links.append(list, row);
      want.push(row);
    }
    expect(lists.map(({ list }) => rowsOf(links, list))).toEqual(lists.map(({ want }) => want));
  }
});
