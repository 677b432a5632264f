import { errnoName } from './errno';

const rows = [
  { in: 1, want: 'EPERM' },
  { in: 11, want: 'EAGAIN' },
  { in: 17, want: 'EEXIST' },
  { in: 19, want: 'ENODEV' },
  { in: 76, want: 'ENOTUNIQ' },
  { in: 95, want: 'EOPNOTSUPP' },
  { in: 105, want: 'ENOBUFS' },
  { in: 524, want: 'ENOTSUPP' },
  { in: 4000, want: 'E4000' },
];

test.each(rows)('$in is $want', ({ in: number, want }) => {
  expect(errnoName(number)).toBe(want);
});
