import { spreadOf } from '../stats/spread';
import { atLeast, atMost, hoped, unmeasured, verdictOf } from './row';
import { json, short, spreadText, table } from './table';

test.each([
  { name: 'more than at least', in: { measured: 21, goal: atLeast(20) }, want: 'PASS' },
  { name: 'exactly at least', in: { measured: 20, goal: atLeast(20) }, want: 'PASS' },
  { name: 'less than at least', in: { measured: 19.9, goal: atLeast(20) }, want: 'FAIL' },
  { name: 'exactly at most', in: { measured: 3, goal: atMost(3) }, want: 'PASS' },
  { name: 'more than at most', in: { measured: 3.01, goal: atMost(3) }, want: 'FAIL' },
  { name: 'hoped for and met', in: { measured: 249, goal: hoped(250) }, want: 'met' },
  { name: 'hoped for and missed', in: { measured: 251, goal: hoped(250) }, want: 'over' },
  { name: 'nothing measured', in: unmeasured('x', 'no cc'), want: 'FAIL' },
  { name: 'NaN against at least', in: { measured: NaN, goal: atLeast(1) }, want: 'FAIL' },
])('$name: $want', ({ in: row, want }) => {
  expect(verdictOf(row)).toBe(want);
});

test.each([
  { in: 0.61607, want: '0.616' },
  { in: 0.0312, want: '0.031' },
  { in: 1.4321, want: '1.43' },
  { in: 13.94, want: '13.9' },
  { in: 161_234.5, want: '161235' },
  { in: 0, want: '0.00' },
  { in: -2.5, want: '-2.50' },
  { in: NaN, want: '-' },
])('$in is written $want', ({ in: value, want }) => {
  expect(short(value)).toBe(want);
});

const ROWS = [
  {
    name: 'a',
    measured: 21.54,
    unit: 'x',
    goal: atLeast(20),
    spread: spreadOf([20, 21.54, 30]),
    details: ['ours 1 ms'],
  },
  { name: 'longer', measured: 90, unit: 'MB', goal: hoped(80), spread: null, details: [] },
];

test('the table has a line for each row, then the details', () => {
  expect(table(ROWS)).toBe(
    [
      'figure  measured  min   25 %  median  75 %  max   n  goal               ',
      '-'.repeat(77),
      'a       21.5 x    20.0  20.8  21.5    25.8  30.0  3  at least 20 x       PASS',
      'longer  90.0 MB                                      aim: at most 80 MB  over',
      '',
      'a',
      '  ours 1 ms',
      '',
      'longer',
      '',
    ]
      .map((line) => line.trimEnd())
      .join('\n'),
  );
});

test('JSON carries the verdicts', () => {
  expect(JSON.parse(json(ROWS))).toMatchObject([{ name: 'a', verdict: 'PASS' }, { verdict: 'over' }]);
});

test('a spread in words', () => {
  expect(spreadText(spreadOf([1, 2, 3]), 'ms')).toBe(
    '2.00 ms (min 1.00, middle half 1.50-2.50, max 3.00, n 3)',
  );
});
