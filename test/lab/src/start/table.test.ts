import { allTrue, checkRows, tableText, type Row } from './table';

const ROWS: readonly Row<string[]>[] = [
  { name: 'first', check: (scene) => Promise.resolve({ ok: scene.push('first') === 1, evidence: 'a -> b' }) },
  { name: 'second row', check: (scene) => Promise.reject(new Error(`after ${scene.join()}\nno answer`)) },
  { name: 'third', check: () => Promise.resolve({ ok: true, evidence: '' }) },
];

test('progress is told row by row', async () => {
  const told: string[] = [];
  const rows: readonly Row<null>[] = ['one', 'two'].map((name) => ({
    name,
    check: () => Promise.resolve({ ok: true, evidence: '' }),
  }));
  await checkRows(rows, null, (line) => told.push(line));
  expect(told).toEqual(['1 of 2: one', '2 of 2: two', '']);
});

test('rows are checked in order, and one that throws is false', async () => {
  const rows = await checkRows(ROWS, []);
  expect(rows).toEqual([
    { name: 'first', ok: true, evidence: 'a -> b' },
    { name: 'second row', ok: false, evidence: 'after first\nno answer' },
    { name: 'third', ok: true, evidence: '' },
  ]);
  expect(allTrue(rows)).toBe(false);
  expect(allTrue(rows.filter(({ ok }) => ok))).toBe(true);
});

test('the table has one line a row and says how many are true', async () => {
  expect(tableText(await checkRows(ROWS, []))).toBe(
    [
      'true   first      a -> b',
      'FALSE  second row after first',
      '                  no answer',
      'true   third      ',
      '2 of 3 true',
      '',
    ].join('\n'),
  );
});

test('a row that this machine cannot check is skipped by name, and counts for nothing', async () => {
  const [first] = ROWS;
  if (first === undefined) throw new Error('no row');
  const rows = await checkRows([first, { ...first, name: 'other', missing: () => 'a second user id' }], []);
  expect(allTrue(rows)).toBe(true);
  expect(tableText(rows)).toBe(
    ['true   first a -> b', 'skip   other needs a second user id', '1 of 1 true, 1 skipped', ''].join('\n'),
  );
});
