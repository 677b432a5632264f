import { networkOrder } from './network-order';

test.each([
  { in: '100.115.92.2', want: 0x025c7364 },
  { in: '0.0.0.0', want: 0 },
  { in: '1.2.3.255', want: 0xff030201 },
])('$in', ({ in: text, want }) => {
  expect(networkOrder(text)).toBe(want);
});
