import { isOlder } from './versions';

const ROWS = [
  { a: '0.1.0', b: '0.1.0', want: false },
  { a: '0.9.2', b: '0.10.0', want: true },
  { a: '0.10.0', b: '0.9.2', want: false },
  { a: '1.0.0', b: '0.9.9', want: false },
  { a: '1.2.3', b: '1.2.4', want: true },
  { a: '', b: '1.2.4', want: false },
];

test.each(ROWS)('$a before $b: $want', ({ a, b, want }) => {
  expect(isOlder(a, b)).toBe(want);
});
